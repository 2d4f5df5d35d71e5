import type { FailureType } from '../batch/failure-types.js';

export type StorageFailureType = Extract<
  FailureType,
  `Storage${string}` | 'InputNotAllowed' | 'InputTooLarge' | 'InvalidInput' | 'IntegrityMismatch'
>;

/** What a store throws. `path` is relative to the store's root, or the input's URI. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly type: StorageFailureType;
  readonly path: string;

  constructor(type: StorageFailureType, path: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.type = type;
    this.path = path;
  }
}
