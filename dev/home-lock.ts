import { join } from 'node:path';
import type { Home } from './home.js';
import { removeDeadLocks, tryLock, type ProcessLock } from './process-lock.js';
import { runtimeFolder, shortName } from './runtime-folder.js';

/**
 * The right to run a home's server: two locks. The one in the home counts for all hosts that share its disk. The
 * one for its path outlives the home's removal: SQLite finds its journal by name, so a server in a home that was
 * removed and made anew at the same path would get into the way of the old one that is just being stopped.
 * `lost` resolves when the home was removed.
 */
export async function tryHomeLock(home: Home): Promise<ProcessLock | undefined> {
  const byPath = await tryLock(join(await runtimeFolder(), `${shortName(home.folder)}.lock`));
  if (byPath === undefined) return undefined;
  const inHome = await tryLock(home.lockFolder);
  if (inHome === undefined) {
    await byPath.release();
    return undefined;
  }
  return {
    lost: inHome.lost,
    async release() {
      await inHome.release();
      await byPath.release();
    },
  };
}

/**
 * Removes what killed processes held: of this home, and claims to ports, whose numbers may never come up again. Whoever
 * starts a server takes the home's lock over anyway; whoever finds its batch finished starts none. What can't be removed,
 * as on a read-only file system, is in nobody's way.
 */
export async function removeDeadHomeLocks(home: Home): Promise<void> {
  await Promise.allSettled([runtimeFolder().then(removeDeadLocks), removeDeadLocks(home.folder)]);
}
