import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from './errors.js';
import { isMissing, toStorageError } from './file-errors.js';
import { isLeftOver } from './owner-mark.js';
import { checkStorePath, resolveFolderInside, TEMP_PREFIX } from './store-path.js';
import { parseFileLocation } from './uri.js';

/**
 * Removes what killed processes left unfinished under a folder of a `file://` store, and returns how many files
 * that were. A live writer's file is never touched: on this host its process is asked for, another host's file
 * counts as left over when it has not been written to for 24 hours.
 *
 * `location`: the store's URI or absolute path. `prefix`: a folder such as a batch id, or `''` for all.
 */
export async function removeStaleTemps(location: string, prefix: string): Promise<number> {
  const parsed = parseFileLocation(location);
  if (!parsed.ok) {
    throw new StorageError('InvalidInput', location, `${location} is not a file:// store: ${parsed.reason}.`);
  }
  const folder = prefix.replace(/\/$/, '');
  try {
    if (folder === '') return await sweep(parsed.path);
    checkStorePath(folder, location);
    return await sweep(await resolveFolderInside(parsed.path, folder, location));
  } catch (error) {
    throw toStorageError(error, { action: 'remove unfinished files of', path: folder, place: location });
  }
}

async function sweep(folder: string): Promise<number> {
  let removed = 0;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removed += await sweep(path);
    else if (entry.isFile() && entry.name.startsWith(TEMP_PREFIX))
      removed += await removeIfLeftOver(path, entry.name);
  }
  return removed;
}

async function removeIfLeftOver(path: string, name: string): Promise<number> {
  try {
    const { mtimeMs } = await lstat(path);
    if (!isLeftOver(name.slice(TEMP_PREFIX.length), mtimeMs)) return 0;
    await unlink(path);
    return 1;
  } catch (error) {
    // Its writer has just committed, or another sweep was faster.
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
