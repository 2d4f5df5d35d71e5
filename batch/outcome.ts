import type { Failure } from './failure-types.js';
import type { RowCounts } from './rows.js';

export const OUTCOMES = ['succeeded', 'partial', 'cancelled', 'failed'] as const;

export type Outcome = (typeof OUTCOMES)[number];

export interface OutcomeFacts {
  readonly rows: RowCounts;
  /** Rows that the provider said something about, errors included. */
  readonly answered: number;
  /** Rows that the same command would send once more. */
  readonly unfinished: number;
  readonly cancelled: boolean;
  readonly failure: Failure | null;
}

/**
 * A cancel that came too late to leave anything undone changes nothing: rows that failed for good stay so without it.
 * `failed` is only for a batch that has no answer at all: whatever was answered is worth keeping.
 */
export function decideOutcome({ rows, answered, unfinished, cancelled, failure }: OutcomeFacts): Outcome {
  if (rows.total > 0 && rows.succeeded === rows.total) return 'succeeded';
  // Without rows: cancelled before there was a plan.
  if (cancelled && (rows.total === 0 || unfinished > 0)) return 'cancelled';
  return failure !== null && answered === 0 ? 'failed' : 'partial';
}

/** A finished batch is returned as it is; the others start again and reuse what is good. */
export function isFinished(outcome: Outcome): boolean {
  return outcome === 'succeeded' || outcome === 'partial';
}
