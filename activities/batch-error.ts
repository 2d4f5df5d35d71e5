import type { FailureType } from '../batch/failure-types.js';

/** What activities throw for findings of their own; the mapper gives it its retry rule. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
  readonly type: FailureType;
  readonly retryDelayMs: number | undefined;
  /** How many attempts, this one included, have not found a result file; for the next one to go on counting. */
  readonly absences: number | undefined;

  constructor(
    type: FailureType,
    message: string,
    options: { readonly retryDelayMs?: number; readonly absences?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.type = type;
    this.retryDelayMs = options.retryDelayMs;
    this.absences = options.absences;
  }
}
