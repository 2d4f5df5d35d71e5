import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RotatingLog } from '../../dev/rotating-log.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-log-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('moves a full file aside and goes on', async () => {
  const path = join(folder, 'a.log');
  const log = new RotatingLog(path, 10);
  log.write('0123456789a\n');
  log.write('second\n');
  // A new process finds the size of what is there.
  new RotatingLog(path, 3).write('third\n');
  expect(await readFile(path, 'utf8')).toBe('third\n');
  expect(await readFile(`${path}.1`, 'utf8')).toBe('second\n');
});

it('remembers the last lines of the current process only', () => {
  const log = new RotatingLog(join(folder, 'a.log'));
  log.write('old\n');
  log.forget();
  for (let line = 1; line <= 40; line++) log.write(`line ${line}\n`);
  const lines = log.tail.split('\n');
  expect(lines).toHaveLength(15);
  expect(lines.at(-1)).toBe('line 40');
});

it('survives the removal of its folder', async () => {
  const log = new RotatingLog(join(folder, 'a.log'));
  await rm(folder, { recursive: true });
  log.write('nobody reads this\n');
  expect(log.tail).toBe('nobody reads this');
});
