import { addCounts } from './rows.js';
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

const SHARD_PHASES = BATCH_PHASES.filter(
  (phase): phase is ShardPhase => phase !== 'preparing' && phase !== 'assembling',
);

export interface JobProgress {
  readonly shard: number;
  readonly round: number;
  readonly jobId: string;
  readonly status: string;
  readonly requests: number;
  /** Answered rows as the provider counts them; `failed` of them without success, which another round may mend. */
  readonly completed: number;
  readonly failed: number;
  /** ISO 8601; null while the job is asked for or has ended. */
  readonly nextPollAt: string | null;
}

export interface ProgressRows extends RowCounts {
  /** Rows without a last word. */
  readonly unanswered: number;
}

/** Answer of the query `progress` on `runBatch`; `running` names the shards to ask for their jobs. */
export interface BatchProgressAnswer {
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

/** The answers of a batch and its running shards, added up. */
export interface BatchProgress extends BatchProgressAnswer {
  /**
   * Rows with their last word. A failed row of a running shard is not among them, for the next round may send it again:
   * so the number never falls when a round begins.
   */
  readonly rowsDone: number;
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

/** Null for what is none: anybody may send a signal, and a handler that throws would stop the batch at each replay. */
export function parseShardPhase(message: unknown): ShardPhaseMessage | null {
  if (typeof message !== 'object' || message === null) return null;
  if (!('shard' in message) || !('phase' in message)) return null;
  const { shard, phase: word } = message;
  if (typeof shard !== 'number' || !Number.isSafeInteger(shard) || shard < 0) return null;
  const phase = SHARD_PHASES.find((known) => known === word);
  return phase === undefined ? null : { shard, phase };
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
  batch: BatchProgressAnswer,
  shards: readonly ShardProgress[],
  now: number,
): BatchProgress {
  let rows: RowCounts = batch.rows;
  let done = sumOfClasses(rows);
  const jobs: JobProgress[] = [];
  for (const shard of shards) {
    // The batch's total counts the running shards' rows already; it is put right below.
    rows = addCounts(rows, shard.rows);
    done += shard.rows.succeeded;
    if (shard.job === null) continue;
    jobs.push(shard.job);
    done += Math.max(0, shard.job.completed - shard.job.failed);
  }
  const rowsDone = Math.min(batch.rows.total, done);
  const unanswered = Math.max(0, batch.rows.total - sumOfClasses(rows));
  const merged = { ...rows, total: batch.rows.total, unanswered };
  return { ...batch, rows: merged, rowsDone, jobs, etaAt: estimateEnd(batch, rowsDone, now) };
}

function sumOfClasses(rows: RowCounts): number {
  return rows.succeeded + rows.failed + rows.invalid + rows.cancelled + rows.expired + rows.missing;
}

function estimateEnd(
  { phase, startedAt, rows }: BatchProgressAnswer,
  done: number,
  now: number,
): string | null {
  if (phase !== 'running') return null;
  const elapsed = now - Date.parse(startedAt);
  if (done <= 0 || elapsed <= 0) return null;
  return new Date(now + (elapsed / done) * (rows.total - done)).toISOString();
}
