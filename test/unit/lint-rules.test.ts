import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/repository.js';
import { breachesOf, FREE_ROOMS, ROOM_RULES } from '../support/room-rules.js';

/** Lint and the architecture test state the same table, each in its own way: here they have to agree. */
const PACKAGES = [
  ...new Set(Object.values(ROOM_RULES).flatMap(({ packages }) => packages)),
  '@temporalio/worker',
  'pino',
  'express',
].map((name) => (name === 'node:*' ? 'node:fs/promises' : name));
const SPECIFIERS = [
  ...PACKAGES,
  ...[...Object.keys(ROOM_RULES), ...FREE_ROOMS].map((room) => `../${room}/b.js`),
  '../workflows/messages.js',
];

interface Probe {
  readonly path: string;
  readonly source: string;
}

/** One file per room, import and kind of import, at both depths. */
function probes(): Probe[] {
  return Object.keys(ROOM_RULES).flatMap((room) =>
    SPECIFIERS.filter((specifier) => !specifier.startsWith(`../${room}/`)).flatMap((specifier, index) => [
      { path: `${room}/run-${index}.ts`, source: `import { b } from '${specifier}';\nb();\n` },
      {
        path: `${room}/deep/run-${index}.ts`,
        source: `export { b } from '${specifier.replace(/^\.\./, '../..')}';\nexport const c = 1;\n`,
      },
      {
        path: `${room}/types-${index}.ts`,
        source: `import type { B } from '${specifier}';\nexport const b: B = 1;\n`,
      },
    ]),
  );
}

describe('lint', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-lint-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('refuses exactly the imports that the architecture test refuses', async () => {
    const all = probes();
    await copyFile(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const { path, source } of all) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), source);
    }
    const lint = await restrictedImports(folder);
    const table = all.filter(({ path, source }) => breachesOf(new Map([[path, source]])).length > 0);
    expect(lint.toSorted()).toEqual(table.map(({ path }) => path).toSorted());
    expect(table.length).toBeGreaterThan(all.length / 3);
  });
});

/** The files in which oxlint refuses an import. */
async function restrictedImports(folder: string): Promise<string[]> {
  const bin = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const args = [bin, '--format', 'json', '-A', 'all', '.'];
  const stdout = await new Promise<string>((resolve, reject) => {
    // Exit code 1 is "something found".
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 1 << 26 }, (error, out) =>
      error === null || error.code === 1 ? resolve(out) : reject(error),
    );
  });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
  const files = diagnostics
    .filter(({ code }) => code === 'eslint(no-restricted-imports)')
    .map(({ filename }) => filename);
  return [...new Set(files)];
}
