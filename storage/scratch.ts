import { lstat, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageError } from './errors.js';
import { errorCode, isMissing, toStorageError } from './file-errors.js';
import { isLeftOver, newOwnerMark } from './owner-mark.js';

/** `scratch-<owner mark>-<name>` */
const SCRATCH_NAME = /^scratch-([0-9a-f]{12}-\d+(?:-\d{1,19})?-[0-9a-f]{12})(?:-|$)/;

export interface Scratch {
  readonly dir: string;
  /** Removes the folder and all in it; may be called again. */
  dispose(): Promise<void>;
}

/**
 * A folder of its own for one attempt. Those that killed processes left beside it are removed on the way.
 * `name` is for people who look: batch, shard, step.
 */
export async function createScratch(parentDir: string, name: string): Promise<Scratch> {
  const dir = join(
    parentDir,
    `scratch-${newOwnerMark()}-${name.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 100)}`,
  );
  const operation = { action: 'create', path: dir, place: 'the scratch folder' };
  try {
    await mkdir(parentDir, { recursive: true, mode: 0o700 });
    await removeStaleScratch(parentDir);
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    throw toStorageError(error, operation);
  }
  return { dir, dispose: () => rm(dir, { recursive: true, force: true, maxRetries: 2 }) };
}

/** StorageFull when the file system that `dir` is on, or will be on, has less than `bytes` free. */
export async function assertFreeSpace(dir: string, bytes: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfsOfExisting(dir);
  // Some network and FUSE file systems don't say: they report no blocks at all.
  if (blocks === 0) return;
  const free = bavail * bsize;
  if (free >= bytes) return;
  const message = `${dir} needs ${bytes} bytes of free space and has ${free}. Free space there, or move the folder to a larger disk.`;
  throw new StorageError('StorageFull', dir, message);
}

async function statfsOfExisting(dir: string) {
  for (let current = dir; ; current = dirname(current)) {
    try {
      return await statfs(current);
    } catch (error) {
      if (isMissing(error) && dirname(current) !== current) continue;
      throw toStorageError(error, {
        action: 'ask for the free space of',
        path: dir,
        place: 'the scratch folder',
      });
    }
  }
}

/** Removes the folders that killed processes left, never one of a live process. */
export async function removeStaleScratch(parentDir: string): Promise<void> {
  for (const name of await namesIn(parentDir)) {
    const mark = SCRATCH_NAME.exec(name)?.[1];
    if (mark === undefined) continue;
    const path = join(parentDir, name);
    try {
      if (isLeftOver(mark, await lastModified(path))) await rm(path, { recursive: true, force: true });
    } catch (error) {
      // Another sweep was faster, or it belongs to another user: no reason to fail this attempt.
      if (errorCode(error) === null) throw error;
    }
  }
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isMissing(error)) return [];
    throw toStorageError(error, { action: 'list', path: dir, place: 'the scratch folder' });
  }
}

/** A folder's own time tells only of names: files in it may be written to long after. */
async function lastModified(path: string): Promise<number> {
  const info = await lstat(path);
  let latest = info.mtimeMs;
  if (!info.isDirectory()) return latest;
  for (const name of await readdir(path)) latest = Math.max(latest, await lastModified(join(path, name)));
  return latest;
}
