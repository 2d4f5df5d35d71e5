import type { ShardPhase, ShardProgress } from '../batch/progress.js';
import type { ShardState } from '../batch/shard-state.js';

/** What a shard answers to the query `progress`. */
export function shardProgress(
  shard: number,
  { active, round, rows }: ShardState,
  phase: ShardPhase,
): ShardProgress {
  const job = active && {
    shard,
    round,
    jobId: active.job.jobId,
    status: active.job.status,
    requests: active.rows,
    completed: Math.min(active.job.counts.completed, active.rows),
    failed: Math.min(active.job.counts.failed, active.rows),
    nextPollAt: active.nextPollAt === null ? null : new Date(active.nextPollAt).toISOString(),
  };
  return { shard, round, phase, rows, job };
}
