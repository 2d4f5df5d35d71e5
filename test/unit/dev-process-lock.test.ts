import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startToken } from '../../dev/process-identity.js';
import { removeDeadLocks, tryLock, withLock } from '../../dev/process-lock.js';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'longhaul-lock-')), 'lock');
});
afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, '-');

async function leaveEntry(by: string, pid: number, start: string, age = 0): Promise<string> {
  await mkdir(folder, { recursive: true });
  const name = `held_${by}_${pid}_${start}_0123456789abcdef`;
  await writeFile(join(folder, name), '');
  const then = new Date(Date.now() - age);
  await utimes(join(folder, name), then, then);
  return name;
}

it('is held by one at a time and free again after release', async () => {
  const lock = await tryLock(folder);
  expect(lock).toBeDefined();
  expect(await tryLock(folder)).toBeUndefined();
  await lock?.release();
  const again = await tryLock(folder);
  expect(again).toBeDefined();
  await again?.release();
  expect(existsSync(folder)).toBe(false);
});

it('never lets two of many contenders in at once', async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 8 }, () =>
      withLock(folder, {}, async () => {
        most = Math.max(most, ++inside);
        await new Promise(setImmediate);
        inside--;
      }),
    ),
  );
  expect(most).toBe(1);
});

it('says once that it waits, and stops waiting when aborted', async () => {
  const lock = await tryLock(folder);
  const aborting = new AbortController();
  let waits = 0;
  const waiting = withLock(
    folder,
    {
      signal: aborting.signal,
      onWait: () => {
        waits++;
        aborting.abort();
      },
    },
    () => Promise.resolve(),
  );
  await expect(waiting).rejects.toThrow(/abort/i);
  expect(waits).toBe(1);
  await lock?.release();
});

it('takes over from a process that is gone', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  await leaveEntry(host, pid, '1');
  const lock = await tryLock(folder);
  expect(lock).toBeDefined();
  await lock?.release();
});

it('takes over when the process id was given to another process since', async () => {
  await leaveEntry(host, process.ppid, '1');
  const lock = await tryLock(folder);
  expect(lock).toBeDefined();
  await lock?.release();
});

it('respects a living holder', async () => {
  const start = startToken(process.ppid);
  expect(start).toBeDefined();
  await leaveEntry(host, process.ppid, start ?? '');
  expect(await tryLock(folder)).toBeUndefined();
});

it('judges a holder on another host by its last touch', async () => {
  await leaveEntry('elsewhere', process.pid, '1', 10_000);
  expect(await tryLock(folder)).toBeUndefined();
  await leaveEntry('elsewhere', process.pid, '1', 60_000);
  const lock = await tryLock(folder);
  expect(lock).toBeDefined();
  await lock?.release();
});

it('tells its holder when the folder is removed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const lock = await tryLock(folder);
  vi.advanceTimersByTime(2_000);
  await rm(folder, { recursive: true });
  vi.advanceTimersByTime(2_000);
  await lock?.lost;
  vi.useRealTimers();
  await lock?.release();
});

it('removes dead locks that nobody takes over, and no others', async () => {
  const parent = join(folder, '..');
  const living = await tryLock(join(parent, 'living.lock'));
  folder = join(parent, 'dead.lock');
  await leaveEntry(host, 2 ** 22 + 1, '1');
  await mkdir(join(parent, 'empty.lock'));
  await writeFile(join(parent, 'file.lock'), '');
  await mkdir(join(parent, 'folder'));
  await removeDeadLocks(parent);
  expect((await readdir(parent)).toSorted()).toEqual(['file.lock', 'folder', 'living.lock']);
  await living?.release();
});
