import type { ApplicationFailure } from '@temporalio/common';

const USUAL_MS = 1_000;

/**
 * When Temporal would repeat an attempt that failed so. It takes a delay of 0 for no next attempt (measured, server
 * 1.29.1), and so does this.
 */
export function retryWaitMs({ nextRetryDelay }: ApplicationFailure): number {
  const ms = Number(nextRetryDelay ?? USUAL_MS);
  if (!(ms > 0)) throw new Error(`a delay of ${ms} ms ends an activity`);
  return ms;
}
