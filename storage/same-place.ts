import { readlink, realpath, stat, type FileHandle } from 'node:fs/promises';
import { isMissing } from './file-errors.js';

/** What a file is refused with that was opened somewhere else than its path said. */
const MOVED = 'EMOVED';

/**
 * Makes sure that an open file is the one at `path`, a path without links. It was one when it was checked against a root;
 * whoever may write there could have put a link in the place of a folder before the file was opened.
 */
export async function assertSamePlace(handle: FileHandle, path: string): Promise<void> {
  if (await isAt(handle, path)) return;
  throw Object.assign(new Error(`${path} was moved while it was opened`), { code: MOVED });
}

async function isAt(handle: FileHandle, path: string): Promise<boolean> {
  const place = await placeOnLinux(handle);
  if (place !== null) {
    // Replaced or removed after it was opened: the kernel still says where it was.
    return place === path || (place === `${path} (deleted)` && (await handle.stat()).nlink === 0);
  }
  try {
    const [real, there, opened] = await Promise.all([realpath(path), stat(path), handle.stat()]);
    return real === path && there.ino === opened.ino && there.dev === opened.dev;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** proc(5): a link to what the descriptor was opened as. Null on systems without it. */
async function placeOnLinux(handle: FileHandle): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`);
  } catch {
    return null;
  }
}
