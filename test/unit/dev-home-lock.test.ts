import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { removeDeadHomeLocks } from '../../dev/home-lock.js';
import { openHome } from '../../dev/home.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-home-lock-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** As a process leaves it that was killed: no process has this id. */
async function leaveLock(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, '-');
  await writeFile(join(path, `held_${host}_${2 ** 22 + 1}_1_0123456789abcdef`), '');
}

it('removes the locks and claims to ports that killed processes held', async () => {
  vi.stubEnv('TMPDIR', folder);
  const home = await openHome(join(folder, 'home'));
  const runtime = join(folder, `longhaul-${process.getuid?.() ?? 0}`);
  await mkdir(runtime, { mode: 0o700 });
  const locks = [home.lockFolder, join(runtime, 'some-home.lock'), join(runtime, 'port-7233.lock')];
  for (const lock of locks) await leaveLock(lock);
  await removeDeadHomeLocks(home);
  expect(locks.filter((lock) => existsSync(lock))).toEqual([]);
});

it('does what it can where the temp folder can’t be used', async () => {
  const home = await openHome(join(folder, 'home'));
  await writeFile(join(folder, 'file'), '');
  vi.stubEnv('TMPDIR', join(folder, 'file'));
  await leaveLock(home.lockFolder);
  await removeDeadHomeLocks(home);
  expect(existsSync(home.lockFolder)).toBe(false);
});
