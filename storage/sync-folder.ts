import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './file-errors.js';

/** Codes of file systems that can't sync a folder, and of folders that we may enter but not read. */
const CANT_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES', 'EPERM', 'EBADF']);

/** Folders remembered as synced; forgetting them only costs syncs. */
const MAX_KNOWN = 10_000;

/** Makes the names in a folder survive a power cut, where the file system can. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === null || !CANT_SYNC.has(code)) throw error;
  }
}

/**
 * Creates folders below a root, and the root, so that they survive a power cut. A folder that another process
 * has just made may not be on the disk yet; therefore every folder's name is synced once by this process too,
 * before anything in it is relied on.
 */
export class FolderMaker {
  readonly #known = new Set<string>();

  /** `folder` is `root` or below it. */
  async make(root: string, folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined && this.#known.has(folder)) return;
    const top = first !== undefined && first.length < root.length ? first : root;
    for (let current = folder; current.length > top.length; current = dirname(current)) {
      await syncFolder(dirname(current));
    }
    if (first !== undefined) await syncFolder(dirname(first));
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(folder);
  }
}
