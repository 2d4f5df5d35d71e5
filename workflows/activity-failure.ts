import { ActivityFailure, ApplicationFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import { isFailureType } from '../batch/failure-types.js';
import type { Failure } from '../batch/failure-types.js';
import { ACTIVITY_OPTIONS } from './proxies.js';

export interface KnownFailure extends Failure {
  /** HTTP status behind it, when there was one. */
  readonly status: number | null;
  /** Whether the store knows of any job of this batch. */
  readonly batchHasJob: boolean;
}

/**
 * Reads the registry's failure out of what an activity call threw; null for anything that is not one, a
 * cancellation or a bug, which must not be taken for data.
 */
export function knownFailure(error: unknown): KnownFailure | null {
  if (!(error instanceof ActivityFailure)) return null;
  const { activityType, cause, retryState } = error;
  // Given up by Temporal when its time was over, whatever the last attempt met.
  const bounded = isBounded(activityType) || retryState === RetryState.TIMEOUT;
  const unanswered = { message: `${activityType} got no answer in time`, status: null, batchHasJob: false };
  if (cause instanceof TimeoutFailure) {
    return { type: bounded ? 'ProviderUnavailable' : 'StorageUnavailable', ...unanswered };
  }
  if (!(cause instanceof ApplicationFailure)) return null;
  if (!isFailureType(cause.type)) {
    // The last of many attempts met a worker's end, or a fault that nobody foresaw: no news of the job either.
    return bounded ? { type: 'ProviderUnavailable', ...unanswered } : null;
  }
  const details: unknown = cause.details?.[0];
  return {
    type: cause.type,
    message: cause.message,
    status: numberField(details, 'status'),
    batchHasJob: isRecord(details) && details['batchHasJob'] === true,
  };
}

/** Calls that are given up after a time: the workflow can do without their answer. */
function isBounded(activityType: string): boolean {
  return Object.entries(ACTIVITY_OPTIONS).some(
    ([name, { scheduleToCloseTimeout }]) => name === activityType && scheduleToCloseTimeout !== undefined,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function numberField(value: unknown, key: string): number | null {
  if (!isRecord(value)) return null;
  const field = value[key];
  return typeof field === 'number' ? field : null;
}
