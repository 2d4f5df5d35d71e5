import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { StorageError } from './errors.js';
import { isMissing } from './file-errors.js';

/**
 * File names that begin so are unfinished writes, folders are set aside to be removed: never listed, and not allowed as
 * names in a store.
 */
export const TEMP_PREFIX = '.tmp-';

const MAX_NAME_BYTES = 255;

/** Checks a path relative to a store's root; the store's own code and batch ids are all that builds them. */
export function checkStorePath(path: string, place: string): void {
  for (const segment of path.split('/')) {
    const reason = problemOf(segment);
    if (reason !== null) {
      throw new StorageError(
        'StorageDenied',
        path,
        `${JSON.stringify(path)} is no path in ${place}: ${reason}.`,
      );
    }
  }
}

function problemOf(segment: string): string | null {
  if (segment === '') return 'it is empty, begins or ends with a slash, or has two in a row';
  if (segment === '.' || segment === '..') return 'it has a "." or ".." segment';
  if (segment.includes('\0') || segment.includes('\\')) return 'it contains a NUL character or a backslash';
  if (segment.startsWith(TEMP_PREFIX)) return `names that begin with ${TEMP_PREFIX} are unfinished files`;
  if (Buffer.byteLength(segment) > MAX_NAME_BYTES)
    return `a name in it is longer than ${MAX_NAME_BYTES} bytes`;
  return null;
}

/**
 * The real place of `root/path`, whose last part is not followed and need not exist. Symbolic links among the
 * folders may lead anywhere within the root; one that leads out of it is StorageDenied.
 */
export async function resolveInside(root: string, path: string, place: string): Promise<string> {
  return join(await resolveFolderInside(root, dirname(path), place), basename(path));
}

/** The same for a folder, whose last part may be a link too; `.` is the root. */
export async function resolveFolderInside(root: string, folder: string, place: string): Promise<string> {
  const realRoot = (await realPathOfExisting(root)).path;
  const real = (await realPathOfExisting(join(root, folder))).path;
  if (real === realRoot || isInside(realRoot, real)) return real;
  const message = `${folder} in ${place} leads out of the store through a symbolic link. Remove the link.`;
  throw new StorageError('StorageDenied', folder, message);
}

/** Whether `path` is strictly below `folder`; both are real paths. */
export function isInside(folder: string, path: string): boolean {
  return path !== folder && path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Resolves the part of a path that exists and appends the rest; throws ENOENT for a link to nowhere. */
export async function realPathOfExisting(path: string): Promise<{ path: string; exists: boolean }> {
  const rest: string[] = [];
  for (let current = path; ; current = dirname(current)) {
    try {
      return { path: join(await realpath(current), ...rest), exists: rest.length === 0 };
    } catch (error) {
      if (!isMissing(error) || dirname(current) === current) throw error;
      if (await isDanglingLink(current)) throw error;
      rest.unshift(basename(current));
    }
  }
}

async function isDanglingLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
