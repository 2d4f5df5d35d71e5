import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../schemas/config.js';
import { readText, ROOT } from '../support/repository.js';

const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'examples/README.md',
].concat(
  (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
);

describe('README.md', () => {
  it('shows examples/backend.ts word for word, in at most 20 lines', async () => {
    const shown = /<!-- example: examples\/backend\.ts -->\n\n```ts\n([^]*?)```/.exec(
      await readText('README.md'),
    )?.[1];
    expect(shown).toBe(await readText('examples/backend.ts'));
    expect(shown?.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  });

  it('names environment variables that exist', async () => {
    const page = await readText('README.md');
    const names = new Set(
      [...page.matchAll(/`((?:LONGHAUL|MISTRAL)_[A-Z_]+)`/g)].map(([, name]) => name ?? ''),
    );
    expect(names.size).toBeGreaterThanOrEqual(8);
    // A value that no variable takes is refused for those that are known, and ignored for others.
    const free = new Set(['LONGHAUL_HOME', 'LONGHAUL_FILE_ROOTS', 'LONGHAUL_CODEC_KEYS_FILE']);
    const refused = [...names].filter((name) => !parseConfig({ [name]: ' \u0001 x' }).ok);
    expect(refused.toSorted()).toEqual([...names].filter((name) => !free.has(name)).toSorted());
  });
});

describe.each(PAGES)('%s', (path) => {
  it('links to files that are there', async () => {
    const links = [...(await readText(path)).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(
      ([, target]) => target ?? '',
    );
    const local = links.filter((target) => !/^[a-z]+:/.test(target));
    expect(local.filter((target) => !existsSync(join(ROOT, dirname(path), target)))).toEqual([]);
  });

  it('names npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await readText('package.json')) as { scripts: Record<string, string> };
    const named = [...(await readText(path)).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('names source files that are there', async () => {
    const text = await readText(path);
    const named = [...text.matchAll(/`((?:[a-z]+\/)[\w/.-]+\.(?:ts|mjs|json|jsonl))`/g)].map(
      ([, file]) => file ?? '',
    );
    expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});
