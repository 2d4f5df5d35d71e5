import type { Failure } from './failure-types.js';
import type { RowCounts, RowErrorType } from './rows.js';

/** A job as the manifest lists it: the provider's own status word, our own counts. Times are ISO 8601 UTC. */
export interface JobAccount {
  readonly shard: number;
  readonly round: number;
  readonly jobId: string;
  readonly status: string;
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly createdAt: string;
  readonly completedAt: string | null;
  readonly duplicate?: true;
}

/** Status of a job that nobody could ask about: not one of the provider's words. */
export const UNKNOWN_STATUS = 'UNKNOWN';

/** What one closed round adds to its shard. */
export interface RoundSums {
  readonly rows: RowCounts;
  /** Rows that the provider said something about. */
  readonly answered: number;
  /** What the rows of this round counted as before it. */
  readonly takes: RowCounts;
  /** Rows worth another round in the same run. */
  readonly retryable: number;
  readonly failure: Failure | null;
}

/** A job that was left before its end: the batch was cancelled and did not wait for it any longer. */
export interface OpenJob {
  readonly shard: number;
  readonly round: number;
  readonly jobId: string;
  readonly status: string;
  readonly createdAt: string;
  readonly requests: number;
}

/** What `runShard` returns: sums and references. */
export interface ShardAccount {
  readonly shard: number;
  /** Rows with a last word; the others are `unanswered`. */
  readonly rows: RowCounts;
  readonly answered: number;
  readonly jobs: number;
  readonly failure: Failure | null;
  /** What becomes of rows that no closed round speaks of. */
  readonly unanswered: RowErrorType;
  readonly openJob: OpenJob | null;
  readonly duplicates: readonly OpenJob[];
  /** A stop has waited in vain for the provider to answer, for as long as it may. */
  readonly gaveUp?: boolean;
}
