import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  utimes,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppendFile } from '../../storage/append-file.js';
import { StorageError } from '../../storage/errors.js';
import { toStorageError } from '../../storage/file-errors.js';
import { openFileStore } from '../../storage/file.js';
import { isLeftOver, newOwnerMark } from '../../storage/owner-mark.js';
import { removeStaleTemps } from '../../storage/stale-temp.js';

const DAY_MS = 24 * 60 * 60 * 1000;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-temp-files-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A mark as the process would have written it that had this pid, on this host or on another. */
function markOf(pid: number, here = true, start: string | null = null): string {
  const [place, , , random] = newOwnerMark().split('-');
  const where = here ? place : '0123456789ab';
  return `${where}-${pid}-${start === null ? '' : `${start}-`}${random}`;
}

function ownMark(): { readonly start: string } {
  const [, , start = ''] = newOwnerMark().split('-');
  return { start };
}

function deadPid(): number {
  return spawnSync('true').pid;
}

describe('left-over marks', () => {
  test('on this host the process decides, not the time', () => {
    expect(isLeftOver(markOf(deadPid()), Date.now())).toBe(true);
    expect(isLeftOver(markOf(process.pid), Date.now() - 90 * DAY_MS)).toBe(false);
    expect(isLeftOver(markOf(process.ppid), 0)).toBe(false);
  });

  test('a process that has the pid of a dead one is not taken for it', async () => {
    const { start } = ownMark();
    expect(isLeftOver(newOwnerMark(), 0)).toBe(false);
    expect(isLeftOver(markOf(process.pid, true, start), 0)).toBe(false);
    expect(isLeftOver(markOf(process.pid, true, '1'), Date.now())).toBe(true);
    // Nobody could say when it started.
    expect(isLeftOver(markOf(process.pid, true, '0'), 0)).toBe(false);
    // A thread's id is found like a process's.
    const threads = await readdir('/proc/self/task');
    const thread = Number(threads.find((id) => id !== String(process.pid)));
    expect(isLeftOver(markOf(thread, true, '1'), Date.now())).toBe(true);
  });

  test('a killed process that its parent has not heard of is dead', async () => {
    // It ends when its parent is no shell any more, which would hear of it.
    const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = await once(parent.stdout, 'data');
      const pid = Number(String(line));
      await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8'), { timeout: 10_000 }).toMatch(/\) Z /);
      expect(isLeftOver(markOf(pid), Date.now())).toBe(true);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('from elsewhere only time decides', () => {
    const now = Date.now();
    expect(isLeftOver(markOf(deadPid(), false), now - DAY_MS, now)).toBe(false);
    expect(isLeftOver(markOf(deadPid(), false), now - DAY_MS - 1, now)).toBe(true);
  });

  test('other names are nobody’s', () => {
    for (const name of ['', 'x', `${newOwnerMark()}x`, `x${newOwnerMark()}`, markOf(0)]) {
      expect(isLeftOver(name, 0)).toBe(false);
    }
  });
});

describe('sweeping a store', () => {
  test('removes what dead writers left, and nothing else', async () => {
    const store = openFileStore(root);
    await store.writeSmall('batch/rounds/00000-1/account.json', '{}');
    const live = await store.openWriter('batch/results.jsonl');
    await live.write('still being written');
    const folder = join(root, 'batch/rounds/00000-1');
    await writeFile(join(folder, `.tmp-${markOf(deadPid())}`), 'left by a killed process');
    await writeFile(
      join(folder, `.tmp-${markOf(deadPid(), false)}`),
      'perhaps still written on another host',
    );
    const old = join(folder, `.tmp-${markOf(1, false)}`);
    await writeFile(old, 'left on another host');
    await utimes(old, new Date(0), new Date(0));
    await writeFile(join(folder, '.tmp-mine'), 'not ours');

    expect(await store.removeUnfinished('batch')).toBe(2);
    expect((await readdir(folder)).sort()).toEqual([
      expect.stringMatching(/^\.tmp-0123456789ab-/),
      '.tmp-mine',
      'account.json',
    ]);
    expect(await live.commit()).toMatchObject({ created: true });
  });

  test('sweeps with a batch the root itself, where store.json is written, but no other batch', async () => {
    await mkdir(join(root, 'a'));
    await mkdir(join(root, 'b'));
    const live = `.tmp-${markOf(process.ppid)}`;
    const ofAnotherBatch = `.tmp-${markOf(deadPid())}`;
    await writeFile(join(root, `.tmp-${markOf(deadPid())}`), 'of the process that first used the store');
    await writeFile(join(root, live), 'of another one that does now');
    await writeFile(join(root, 'b', ofAnotherBatch), '');
    const store = openFileStore(root);
    const id = await store.identity();

    expect(await store.removeUnfinished('a')).toBe(1);
    expect((await readdir(root)).sort()).toEqual([live, 'a', 'b', 'store.json']);
    expect(await readdir(join(root, 'b'))).toEqual([ofAnotherBatch]);
    expect(await store.identity()).toBe(id);
  });

  test('sweeps the batch that it is told, or all', async () => {
    await mkdir(join(root, 'a'));
    await mkdir(join(root, 'b'));
    for (const batch of ['a', 'b']) await writeFile(join(root, batch, `.tmp-${markOf(deadPid())}`), '');
    expect(await removeStaleTemps(root, 'a/')).toBe(1);
    expect(await removeStaleTemps(root, 'missing')).toBe(0);
    expect(await removeStaleTemps(root, '')).toBe(1);
    await expect(removeStaleTemps(root, '../x')).rejects.toMatchObject({ type: 'StorageDenied' });
    await expect(removeStaleTemps('s3://bucket', '')).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});

describe('file system errors', () => {
  const operation = { action: 'write', path: 'batch/results.jsonl', place: 'file:///data' };

  test.each([
    ['ENOSPC', 'StorageFull'],
    ['EDQUOT', 'StorageFull'],
    ['EACCES', 'StorageDenied'],
    ['EPERM', 'StorageDenied'],
    ['EROFS', 'StorageDenied'],
    ['ELOOP', 'StorageDenied'],
    ['ENOENT', 'StorageMismatch'],
    ['EISDIR', 'StorageMismatch'],
    ['EIO', 'StorageUnavailable'],
    ['EMFILE', 'StorageUnavailable'],
    ['ESTALE', 'StorageUnavailable'],
  ])('%s is %s and says where and what to do', (code, type) => {
    const cause = Object.assign(new Error(code), { code });
    const error = toStorageError(cause, operation);
    expect(error).toMatchObject({ name: 'StorageError', type, path: 'batch/results.jsonl', cause });
    expect(error.message).toMatch(
      new RegExp(`^Can't write batch/results.jsonl in file:///data: .+ \\(${code}\\)\\. .+\\.$`),
    );
  });

  test('errors that are no conditions of the store keep their shape', () => {
    const bug = new TypeError('x is undefined');
    const ours = new StorageError('StorageFull', 'x', 'full');
    expect(toStorageError(bug, operation)).toBe(bug);
    expect(toStorageError(ours, operation)).toBe(ours);
    expect(toStorageError('text', operation).message).toBe('text');
  });

  test.each(fullDisks())('a full disk fails the write, and every later one: %s', async (_name, openFull) => {
    const handle = await openFull();
    try {
      const file = new AppendFile(handle, {
        bufferBytes: 1024,
        toError: (error) => toStorageError(error, operation),
      });
      await file.write('fits into the buffer');
      await expect(file.write('x'.repeat(5000))).rejects.toMatchObject({ type: 'StorageFull' });
      await expect(file.write('y')).rejects.toMatchObject({ type: 'StorageFull' });
      await expect(file.flush()).rejects.toMatchObject({ type: 'StorageFull' });
      await file.settled();
    } finally {
      await handle.close();
    }
  });
});

/** Files that nothing can be written to: one that says so itself, and the system's own where it has one. */
function fullDisks(): [string, () => Promise<FileHandle>][] {
  const madeUp = async (): Promise<FileHandle> => {
    const handle = await open(join(root, 'full'), 'w');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    vi.spyOn(handle, 'write').mockRejectedValue(full);
    return handle;
  };
  const ofLinux = (): Promise<FileHandle> => open('/dev/full', 'w');
  const everywhere: [string, () => Promise<FileHandle>][] = [['a file', madeUp]];
  return process.platform === 'linux' ? [...everywhere, ['/dev/full', ofLinux]] : everywhere;
}
