import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { isFailureType } from '../batch/failure-types.js';
import type { Failure } from '../batch/failure-types.js';

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
  const { cause } = error;
  if (cause instanceof TimeoutFailure) {
    return {
      type:
        error.activityType === 'getJob' || error.activityType === 'cancelJob'
          ? 'ProviderUnavailable'
          : 'StorageUnavailable',
      message: `${error.activityType} got no answer in time`,
      status: null,
      batchHasJob: false,
    };
  }
  if (!(cause instanceof ApplicationFailure) || !isFailureType(cause.type)) return null;
  const details: unknown = cause.details?.[0];
  return {
    type: cause.type,
    message: cause.message,
    status: numberField(details, 'status'),
    batchHasJob: isRecord(details) && details['batchHasJob'] === true,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function numberField(value: unknown, key: string): number | null {
  if (!isRecord(value)) return null;
  const field = value[key];
  return typeof field === 'number' ? field : null;
}
