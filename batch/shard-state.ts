import type { OpenJob } from './account.js';
import type { ControlState } from './control.js';
import type { Failure } from './failure-types.js';
import type { JobSnapshot } from './job-snapshot.js';
import { NO_ROWS } from './rows.js';
import type { RowCounts, RowErrorType } from './rows.js';
import { batchUnanswered } from './shard-sums.js';

/** The whole memory of a shard: what is not in here is lost at continue-as-new. */
export interface ShardState {
  round: number;
  /** Rounds that this run began, and the last of them. */
  begun: number;
  lastBegun: number;
  /** The last round for which this run has asked for a job; 0: none. */
  lastCreate: number;
  /** First round whose "final" binds this run; null until one is reached. */
  finalFrom: number | null;
  rows: RowCounts;
  answered: number;
  jobs: number;
  /** Of the last closed round: one that a later round made good is none. */
  failure: Failure | null;
  active: ActiveRound | null;
  /** Own closed rounds, whose duplicates are looked for once more before the shard closes. */
  recheck: readonly ClosedRound[];
  duplicates: readonly OpenJob[];
  /** Waits for quota in a row, which makes them longer. */
  quotaWaits: number;
  control: ControlState;
  /** Since when no new work may be begun, Unix milliseconds. */
  stopSince: number | null;
}

export interface ClosedRound {
  readonly round: number;
  readonly key: string;
  /** When its key was listed at the job's end, Unix milliseconds. */
  readonly listedAt: number;
}

/**
 * The rounds to list before the shard closes: all but the last, unless so much time has passed since it was listed, with a
 * long download say, that a create could have shown meanwhile.
 */
export function toRecheck(
  closed: readonly ClosedRound[],
  now: number,
  settleMs: number,
): readonly ClosedRound[] {
  return closed.filter(({ listedAt }, n) => n < closed.length - 1 || now - listedAt >= settleMs);
}

/** The round whose job is being watched. */
export interface ActiveRound {
  readonly key: string;
  readonly rows: number;
  /** What the round's rows counted as before it. */
  readonly takes: RowCounts;
  job: JobSnapshot;
  /** When this run first knew of the job, Unix milliseconds. */
  readonly knownSince: number;
  /** When its cancellation was asked for. */
  cancelAskedAt: number | null;
  polls: number;
  /** By this run; absent in states that an older version carries. */
  seenAlive?: boolean;
  /** Rows that the job had completed at the look before the last. */
  completedBefore: number;
  nextPollAt: number | null;
}

export function initialShardState(control: ControlState): ShardState {
  return {
    round: 1,
    begun: 0,
    lastBegun: 0,
    lastCreate: 0,
    finalFrom: null,
    rows: NO_ROWS,
    answered: 0,
    jobs: 0,
    failure: null,
    active: null,
    recheck: [],
    duplicates: [],
    quotaWaits: 0,
    control,
    stopSince: null,
  };
}

export function toOpenJob(shard: number, round: number, job: JobSnapshot, requests: number): OpenJob {
  return {
    shard,
    round,
    jobId: job.jobId,
    status: job.status,
    createdAt: new Date(job.createdAt).toISOString(),
    requests,
  };
}

/** Second jobs of the current round, as its account lists them. */
export function duplicatesOfRound({
  duplicates,
  round,
}: Pick<ShardState, 'duplicates' | 'round'>): readonly Omit<OpenJob, 'shard' | 'round'>[] {
  return duplicates
    .filter((duplicate) => duplicate.round === round)
    .map(({ jobId, status, createdAt, requests }) => ({ jobId, status, createdAt, requests }));
}

/** What becomes of a shard's rows that no job ever spoke of. */
export function unansweredOf(
  stop: { readonly deadlinePassed: boolean; readonly state: ControlState },
  failure: Failure | null,
): RowErrorType {
  return batchUnanswered({
    cancelled: stop.state.cancel !== null,
    deadlinePassed: stop.deadlinePassed,
    failure,
  });
}
