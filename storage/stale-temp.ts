import type { Dirent } from 'node:fs';
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
 * `location`: the store's URI or absolute path. `prefix`: a folder such as a batch id, with which the root's own files
 * are swept too, or `''` for all.
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
    const removed = await sweep(await resolveFolderInside(parsed.path, folder, location));
    return removed + (await sweepRoot(parsed.path));
  } catch (error) {
    throw toStorageError(error, { action: 'remove unfinished files of', path: folder, place: location });
  }
}

async function sweep(folder: string): Promise<number> {
  let removed = 0;
  for (const entry of await entriesOf(folder)) {
    if (entry.isDirectory()) removed += await sweep(join(folder, entry.name));
    else removed += await sweepFile(folder, entry);
  }
  return removed;
}

/**
 * The root's own files: `store.json` is written there, before any batch has a folder. Best effort: the root belongs to
 * all batches and perhaps to several users, and what may not be removed there must not keep a batch from its end.
 */
async function sweepRoot(root: string): Promise<number> {
  let removed = 0;
  try {
    for (const entry of await entriesOf(root)) removed += await sweepFile(root, entry);
  } catch {
    // The next sweep finds it.
  }
  return removed;
}

async function sweepFile(folder: string, entry: Dirent): Promise<number> {
  if (!entry.isFile() || !entry.name.startsWith(TEMP_PREFIX)) return 0;
  return removeIfLeftOver(join(folder, entry.name), entry.name);
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
