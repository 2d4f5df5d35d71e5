import type { JobCounts } from './job-phase.js';
import type { RowCounts } from './rows.js';

export const BATCH_PHASES = [
  'preparing',
  'running',
  'paused',
  'waiting-for-quota',
  'waiting-for-auth',
  'cancelling',
  'assembling',
  'done',
] as const;

export type BatchPhase = (typeof BATCH_PHASES)[number];

export type ShardPhase = Exclude<BatchPhase, 'preparing' | 'assembling'>;

export interface JobProgress {
  readonly shard: number;
  readonly round: number;
  readonly jobId: string;
  readonly status: string;
  readonly requests: number;
  readonly completed: number;
  /** ISO 8601; null while the job is asked for or has ended. */
  readonly nextPollAt: string | null;
}

export interface ProgressRows extends RowCounts {
  /** Rows without a last word. */
  readonly unanswered: number;
}

/** Answer of the query `progress` on `runBatch`; `running` names the shards to ask for their jobs. */
export interface BatchProgress {
  readonly batchId: string;
  readonly phase: BatchPhase;
  readonly paused: boolean;
  readonly rows: ProgressRows;
  readonly shards: { readonly total: number; readonly running: number; readonly done: number };
  readonly jobs: readonly JobProgress[];
  readonly running: readonly number[];
  readonly startedAt: string;
  readonly etaAt: string | null;
}

/** Answer of the query `progress` on `runShard`. */
export interface ShardProgress {
  readonly shard: number;
  readonly round: number;
  readonly phase: ShardPhase;
  readonly rows: RowCounts;
  readonly job: JobProgress | null;
}

/** Argument of the signal `shardPhase`, sent when a shard enters or leaves a wait. */
export interface ShardPhaseMessage {
  readonly shard: number;
  readonly phase: ShardPhase;
}

/** The phase of a running batch: what stops it most comes first. */
export function runningPhase(facts: {
  readonly cancelling: boolean;
  readonly paused: boolean;
  readonly shardPhases: readonly ShardPhase[];
}): BatchPhase {
  if (facts.cancelling) return 'cancelling';
  if (facts.shardPhases.includes('waiting-for-auth')) return 'waiting-for-auth';
  if (facts.shardPhases.includes('waiting-for-quota')) return 'waiting-for-quota';
  return facts.paused ? 'paused' : 'running';
}

/** Adds the running shards' own answers to the parent's. */
export function mergeProgress(
  batch: BatchProgress,
  shards: readonly ShardProgress[],
  now: number,
): BatchProgress {
  let rows: RowCounts = batch.rows;
  const jobs: JobProgress[] = [];
  for (const shard of shards) {
    rows = addRows(rows, shard.rows);
    if (shard.job !== null) jobs.push(shard.job);
  }
  const unanswered = Math.max(0, batch.rows.total - sumOfClasses(rows));
  const merged = { ...rows, total: batch.rows.total, unanswered };
  return { ...batch, rows: merged, jobs, etaAt: estimateEnd(batch, merged, jobs, now) };
}

function addRows(a: RowCounts, b: RowCounts): RowCounts {
  return {
    total: a.total,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    invalid: a.invalid + b.invalid,
    cancelled: a.cancelled + b.cancelled,
    expired: a.expired + b.expired,
    missing: a.missing + b.missing,
  };
}

function sumOfClasses(rows: RowCounts): number {
  return rows.succeeded + rows.failed + rows.invalid + rows.cancelled + rows.expired + rows.missing;
}

/** Rows that are done or counted as completed by a running job. */
export function rowsDone(rows: ProgressRows, jobs: readonly Pick<JobCounts, 'completed'>[]): number {
  const inJobs = jobs.reduce((sum, job) => sum + job.completed, 0);
  return Math.min(rows.total, rows.total - rows.unanswered + inJobs);
}

function estimateEnd(
  batch: BatchProgress,
  rows: ProgressRows,
  jobs: readonly JobProgress[],
  now: number,
): string | null {
  if (batch.phase !== 'running') return null;
  const done = rowsDone(rows, jobs);
  const elapsed = now - Date.parse(batch.startedAt);
  if (done <= 0 || elapsed <= 0) return null;
  return new Date(now + (elapsed / done) * (rows.total - done)).toISOString();
}
