import { StorageError, type StorageFailureType } from './errors.js';

/** What was tried, for messages: "Can't <action> <path> in <place>". */
export interface FileOperation {
  readonly action: string;
  /** As in `StorageError.path`. */
  readonly path: string;
  /** The store's URI or the folder. */
  readonly place: string;
}

interface Reading {
  readonly type: StorageFailureType;
  readonly reason: string;
  readonly remedy: string;
}

const FULL: Reading = { type: 'StorageFull', reason: 'no space is left', remedy: 'Free space there.' };
const DENIED: Reading = {
  type: 'StorageDenied',
  reason: 'access is denied',
  remedy: 'Give the worker’s user read and write rights there.',
};
const MISSING: Reading = {
  type: 'StorageMismatch',
  reason: 'it does not exist',
  remedy: 'Check that this is the store that the batch was prepared in.',
};
const IN_THE_WAY: Reading = {
  type: 'StorageMismatch',
  reason: 'something else is in the way: a file where a folder should be, or a folder where a file should be',
  remedy: 'Move it away.',
};

const READINGS: Readonly<Record<string, Reading>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, reason: 'the disk quota is used up' },
  EFBIG: { ...FULL, reason: 'the file is larger than the file system or a limit of the process allows' },
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: { ...DENIED, reason: 'the file system is read-only' },
  ELOOP: {
    type: 'StorageDenied',
    reason: 'it is a symbolic link',
    remedy: 'Replace it by the file that it points to.',
  },
  EFTYPE: {
    ...DENIED,
    reason: 'it is not a regular file',
    remedy: 'Replace it by the file that it stands for.',
  },
  EMOVED: {
    ...DENIED,
    reason: 'a folder on the way to it was exchanged while it was opened',
    remedy: 'Find out who changes folders there, and keep the store to the workers’ users.',
  },
  ENOENT: MISSING,
  ENOTDIR: IN_THE_WAY,
  EISDIR: IN_THE_WAY,
  EEXIST: IN_THE_WAY,
  ENOTEMPTY: IN_THE_WAY,
};

/**
 * Turns what the file system threw into a `StorageError`. Errors without an errno code are bugs, not
 * conditions of the store: they come back as they are, so that they are not retried as a disk that is down.
 */
export function toStorageError(error: unknown, operation: FileOperation): Error {
  if (error instanceof StorageError) return error;
  const code = errorCode(error);
  if (code === null) return error instanceof Error ? error : new Error(String(error));
  const { type, reason, remedy } = READINGS[code] ?? {
    type: 'StorageUnavailable',
    reason: 'the file system failed',
    remedy: 'Check that the disk is reachable and sound.',
  };
  const { action, path, place } = operation;
  return new StorageError(type, path, `Can't ${action} ${path} in ${place}: ${reason} (${code}). ${remedy}`, {
    cause: error,
  });
}

/** The errno name of a system error (`ENOENT`), or null. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return /^E[A-Z0-9]+$/.test(error.code) ? error.code : null;
}

/** Nothing is there: neither the entry nor, perhaps, the folder that would hold it. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
