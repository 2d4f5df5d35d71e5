import type { FailureType } from './failure-types.js';

const QUOTA_FIRST_MS = 60_000;
const QUOTA_MAX_MS = 30 * 60_000;

/** How long a shard waits for quota before it asks again: 1 min, doubling to 30 min. `attempt` counts from 0. */
export function quotaWaitMs(attempt: number): number {
  return Math.min(QUOTA_MAX_MS, QUOTA_FIRST_MS * 2 ** Math.min(attempt, 10));
}

/** How long a stop waits in all: for an unanswered create to show, and for the job to end after its cancel. */
export function patienceMs(settings: {
  readonly cancelWaitMs: number;
  readonly createSettleMs: number;
}): number {
  return settings.cancelWaitMs + settings.createSettleMs;
}

/** For each shard after one that waited so long in vain: a stop of hundreds of shards would take days. */
export const HURRIED_PATIENCE_MS = 10_000;

const RIVAL_FIRST_MS = 10_000;
const RIVAL_MAX_MS = 5 * 60_000;

/**
 * How long a shard of an earlier run is left to close before it is looked for again: 10 s, doubling to 5 min, since each
 * look stays in the history of a batch that may wait for hundreds of them. `attempt` counts from 0.
 */
export function rivalWaitMs(attempt: number): number {
  return Math.min(RIVAL_MAX_MS, RIVAL_FIRST_MS * 2 ** Math.min(attempt, 10));
}

export type CreateFailureAction = 'wait-auth' | 'wait-quota' | 'job-failed' | 'end-shard';

/**
 * What a shard does when its job can't be created. 402 means that billing is off: waiting helps only a batch
 * that has already a job, or a create without an answer, and so was allowed before.
 */
export function afterCreateFailure(
  type: FailureType,
  facts: { readonly status: number | null; readonly hadJob: boolean },
): CreateFailureAction {
  switch (type) {
    case 'ProviderAuth':
    case 'ProviderForbidden':
      return facts.hadJob ? 'wait-auth' : 'end-shard';
    case 'ProviderQuota':
      return facts.status === 402 && !facts.hadJob ? 'end-shard' : 'wait-quota';
    case 'ProviderRejected':
    case 'ProviderNotFound':
      return 'job-failed';
    default:
      return 'end-shard';
  }
}
