import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { layout } from '../batch/layout.js';
import { StorageError } from './errors.js';
import { errorCode, isMissing, toStorageError } from './file-errors.js';
import { openFileStore } from './file.js';
import { TEMP_PREFIX } from './store-path.js';
import type { Store } from './store.js';
import { syncFolder } from './sync-folder.js';
import { parseFileLocation } from './uri.js';

/** Taken away, and nobody has looked yet whether rightly. A crash here is undone by `finishSetAside`. */
const UNSURE = `${TEMP_PREFIX}leaving-`;
/** Stays aside, since a batch was begun anew under its name; that one may be taken away later too. */
const KEPT = `${TEMP_PREFIX}kept-`;
/** Taken away rightly: nothing but to be removed. */
const REMOVED = `${TEMP_PREFIX}removed-`;

/** A folder of a store that nobody finds by its name any more. */
export interface SetAside {
  /** Its files, without the folder's name before their paths. */
  readonly files: Store;
  remove(): Promise<void>;
  /**
   * False: a batch was begun anew meanwhile, and this one stays aside. Where a run that went on has written files of the
   * same names, its files stand and the old ones are kept apart.
   */
  putBack(): Promise<boolean>;
}

/**
 * Takes a folder of a `file://` store out of everybody's sight in one step, so that all of it can be judged as it was at
 * one moment, and then be removed without anybody relying on a part of it. Null: there is no such folder.
 *
 * Removing the files one by one instead, however carefully, would let a run that starts in between go on with some of
 * them and lose the rest.
 */
export async function setAside(location: string, folder: string): Promise<SetAside | null> {
  const root = rootOf(location);
  const aside = join(root, `${UNSURE}${folder}`);
  return attempt(root, folder, async () => {
    if (!(await moved(join(root, folder), aside))) return null;
    await syncFolder(root);
    return {
      files: openFileStore(aside),
      remove: () => attempt(root, folder, () => removeForGood(root, aside)),
      putBack: () => attempt(root, folder, () => putBack(root, folder)),
    };
  });
}

/** Undoes or ends what a killed process has set aside. Returns the paths of folders that have to stay aside. */
export async function finishSetAside(location: string): Promise<readonly string[]> {
  const root = rootOf(location);
  return attempt(root, '.', async () => {
    const kept: string[] = [];
    for (const name of await namesIn(root)) {
      if (name.startsWith(REMOVED)) await removeFolder(join(root, name));
      if (name.startsWith(UNSURE)) await putBack(root, name.slice(UNSURE.length));
    }
    for (const name of await namesIn(root)) {
      if (name.startsWith(KEPT)) kept.push(join(root, name));
    }
    return kept;
  });
}

async function removeForGood(root: string, aside: string): Promise<void> {
  const removed = join(root, `${REMOVED}${randomUUID()}`);
  // First the name that says so: a removal that is cut short must not be put back with holes.
  if (!(await moved(aside, removed))) return;
  await syncFolder(root);
  await removeFolder(removed);
  await syncFolder(root);
}

/** A folder may be a link to another place within the store: its files are there. */
async function removeFolder(folder: string): Promise<void> {
  // Null: another process was faster.
  const info = await lstat(folder).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (info?.isSymbolicLink() === true) {
    const store = openFileStore(folder);
    for await (const { path } of store.list('')) await store.remove(path);
  }
  await rm(folder, { recursive: true, force: true });
}

async function putBack(root: string, folder: string): Promise<boolean> {
  const aside = join(root, `${UNSURE}${folder}`);
  const home = join(root, folder);
  try {
    await moved(aside, home);
  } catch (error) {
    if (!isOccupied(error)) throw error;
    if (await wasBegunAnew(root, folder)) {
      await moved(aside, join(root, `${KEPT}${folder}-${randomUUID()}`));
      await syncFolder(root);
      return false;
    }
    await merge(aside, home);
  }
  await syncFolder(root);
  return true;
}

/** It may be cut otherwise: the rounds of the one are nothing to the shards of the other. */
async function wasBegunAnew(root: string, folder: string): Promise<boolean> {
  const decided = [layout.plan(folder), layout.planDraft(folder)].map((path) => lstat(join(root, path)));
  const found = await Promise.allSettled(decided);
  return found.some(({ status }) => status === 'fulfilled');
}

async function merge(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await merge(source, target);
    else if (await linked(source, target)) await rm(source);
  }
  await syncFolder(to);
  await rmdir(from).catch((error: unknown) => {
    if (!isOccupied(error)) throw error;
  });
}

async function linked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** False: there is nothing to move. An empty folder in the way is replaced. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isOccupied(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}

async function namesIn(root: string): Promise<string[]> {
  try {
    return await readdir(root);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function rootOf(location: string): string {
  const parsed = parseFileLocation(location);
  if (parsed.ok) return parsed.path;
  throw new StorageError(
    'InvalidInput',
    location,
    `${location} is not a file:// store: ${parsed.reason}. Only there folders can be set aside.`,
  );
}

async function attempt<T>(root: string, folder: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw toStorageError(error, { action: 'remove', path: folder, place: root });
  }
}
