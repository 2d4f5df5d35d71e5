import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commit, sourceMark } from '../../scripts/source-mark.mjs';
import { RELEASE } from '../../dev/release.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-mark-'));
  await mkdir(join(folder, 'batch'));
  await mkdir(join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"version":"1.2.3"}');
  await writeFile(join(folder, 'batch/rows.ts'), 'one');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('has a seed of the crash matrix where there is no repository: it changes with the sources, and only with them', async () => {
  expect(commit(folder)).toBeUndefined();
  const mark = sourceMark(folder);
  expect(mark).toMatch(/^1\.2\.3-[0-9a-f]{12}$/);
  await writeFile(join(folder, 'node_modules/other.ts'), 'other');
  expect(sourceMark(folder)).toBe(mark);
  await writeFile(join(folder, 'batch/rows.ts'), 'two');
  expect(sourceMark(folder)).not.toBe(mark);
  await writeFile(join(folder, 'batch/rows.ts'), 'one');
  expect(sourceMark(folder)).toBe(mark);
});

it('marks this repository by its release', () => {
  expect(sourceMark(ROOT)).toMatch(new RegExp(`^${RELEASE.replaceAll('.', '\\.')}-[0-9a-f]{12}$`));
});
