import { CancelledFailure } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isFinal, streakWith } from '../batch/failure-streak.js';
import type { FailureStreak } from '../batch/failure-streak.js';
import { sayableMessage, sayableStack } from '../batch/failure-text.js';
import type { FailureType } from '../batch/failure-types.js';
import { ProviderError } from '../providers/errors.js';
import { StorageError } from '../storage/errors.js';
import { BatchError } from './batch-error.js';

/** Type of what fails only because its worker goes; none of the registry's, since nobody has to know. */
export const WORKER_SHUTDOWN = 'WorkerShutdown';

export interface FailureContext {
  /** How the attempts before this one failed. */
  readonly streak: FailureStreak | null;
  /** Whether a job of the batch is known: such a batch waits for a key or a quota instead of failing. */
  readonly batchHasJob: boolean;
  /** Whether the attempt was told to stop, and whether by its workflow. */
  readonly aborted: boolean;
  readonly cancelRequested: boolean;
}

/**
 * The only maker of ApplicationFailure: turns what providers, stores and activities throw into the failure types
 * of the registry, with their retry rule. Details hold numbers and flags, never a provider's body: it may echo rows.
 */
export function toApplicationFailure(error: unknown, context: FailureContext): Error {
  if (context.aborted && isAbort(error)) {
    if (context.cancelRequested) return new CancelledFailure('cancelled', [], asError(error));
    // The worker is shutting down: not a cancellation, the next worker does it again.
    return ApplicationFailure.create({ type: WORKER_SHUTDOWN, message: 'the worker is shutting down' });
  }
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof ProviderError) {
    return failure(error.type, error.message, context, {
      status: error.status,
      nextRetryDelay: error.retryAfterMs,
    });
  }
  if (error instanceof StorageError) return failure(error.type, error.message, context, {});
  if (error instanceof BatchError) {
    return failure(error.type, error.message, context, {
      nextRetryDelay: error.retryDelayMs,
    });
  }
  return unforeseen(asError(error));
}

function failure(
  type: FailureType,
  message: string,
  { streak, batchHasJob }: FailureContext,
  more: { readonly status?: number | undefined; readonly nextRetryDelay?: number | undefined },
): ApplicationFailure {
  const { nextRetryDelay = 0 } = more;
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: isFinal(streakWith(streak, type)),
    details: [{ status: more.status ?? null, batchHasJob }],
    // `Retry-After: 0`, or a date that has passed. To Temporal it would mean that there is no next attempt (measured, server
    // 1.29.1): the activity would fail for good, and its batch with it.
    ...(nextRetryDelay < 1 ? {} : { nextRetryDelay }),
  });
}

/** A bug or an unknown fault of the machine: retried, and visible in the UI by its name and place. */
function unforeseen(error: Error): ApplicationFailure {
  const failure = ApplicationFailure.create({ type: error.name, message: sayableMessage(error) });
  failure.stack = sayableStack(error);
  return failure;
}

function isAbort(error: unknown): boolean {
  return error instanceof CancelledFailure || (error instanceof Error && error.name === 'AbortError');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
