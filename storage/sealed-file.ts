import { link, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageError } from './errors.js';
import { errorCode, isMissing, toStorageError, type FileOperation } from './file-errors.js';
import { newOwnerMark } from './owner-mark.js';
import { TEMP_PREFIX } from './store-path.js';
import type { SealedFile } from './store.js';
import { syncFolder } from './sync-folder.js';

interface Target extends FileOperation {
  /** Absolute path. */
  readonly target: string;
}

/** A temporary file that is whole: gets its name or goes. If publishing fails, it goes as well. */
export function sealedFile(
  target: Target,
  temp: string,
  written: { readonly bytes: number; readonly sha256: string },
): SealedFile {
  let isDone = false;
  /** Best effort: the error that led here is the one to report, and leftovers are swept later. */
  const discard = async () => {
    if (isDone) return;
    isDone = true;
    await unlink(temp).catch(() => undefined);
  };
  const publish = async (act: () => Promise<boolean>): Promise<boolean> => {
    try {
      const isPublished = await act();
      // Also when another writer won: what the loser goes on to rely on must survive a power cut too.
      await syncFolder(dirname(target.target));
      return isPublished;
    } catch (error) {
      await discard();
      throw toStorageError(error, target);
    }
  };
  return {
    ...written,
    discard,
    publish: async ({ ifAbsent = false } = {}) => {
      const isPublished = await publish(() =>
        ifAbsent ? linkIfAbsent(target, temp) : replace(target, temp),
      );
      if (isPublished) isDone = true;
      return isPublished;
    },
    publishAndKeep: async () => {
      await publish(() => replaceByCopy(target, temp));
    },
  };
}

/** By a second name for the same bytes, which is swept like the first one if this process is killed before it goes. */
async function replaceByCopy(target: Target, temp: string): Promise<boolean> {
  const name = join(dirname(temp), `${TEMP_PREFIX}${newOwnerMark()}`);
  try {
    await link(temp, name);
    return await replace(target, name);
  } catch (error) {
    await unlink(name).catch(() => undefined);
    throw error;
  }
}

async function replace({ target }: Target, temp: string): Promise<boolean> {
  await rename(temp, target);
  // rename(2) leaves both names of one file as they are.
  await unlink(temp).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  return true;
}

async function linkIfAbsent({ path, place, target }: Target, temp: string): Promise<boolean> {
  try {
    await link(temp, target);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS') {
      const message = `Can't create ${path} in ${place}: the file system refuses hard links (${code}), which creating a file only once is built on. Use another file system for the store.`;
      throw new StorageError('StorageDenied', path, message, { cause: error });
    }
    if (code !== 'EEXIST') throw error;
    // link(2): on NFS the answer to a link that happened may be lost and the repeated call says EEXIST;
    // the link count tells.
    if ((await stat(temp)).nlink <= 1) return false;
  }
  await unlink(temp);
  return true;
}
