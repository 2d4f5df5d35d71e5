import type { Manifest } from '../batch/manifest.js';
import type { BatchProgress } from '../batch/progress.js';

/** The last state of a batch, as its account tells it. */
export function finalProgress(account: Manifest, latest: BatchProgress | null): BatchProgress {
  const shards = new Set(account.jobs.map(({ shard }) => shard)).size;
  const total = Math.max(shards, latest?.shards.total ?? 0);
  return {
    batchId: account.batchId,
    phase: 'done',
    paused: false,
    rows: { ...account.rows, unanswered: 0 },
    rowsDone: account.rows.total,
    shards: { total, running: 0, done: total },
    jobs: [],
    running: [],
    startedAt: account.startedAt,
    etaAt: null,
  };
}
