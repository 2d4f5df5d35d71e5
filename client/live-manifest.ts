import { UNKNOWN_STATUS } from '../batch/account.js';
import type { JobAccount } from '../batch/account.js';
import type { Manifest } from '../batch/manifest.js';
import type { BatchProgress, JobProgress } from '../batch/progress.js';
import type { Plan } from '../schemas/records.js';
import type { BatchDescription } from './batch-description.js';
import type { OpenJobRecord } from './batch-files.js';

/** The manifest's shape with the numbers of a batch that runs. */
export function liveManifest(facts: {
  readonly run: BatchDescription;
  readonly progress: BatchProgress;
  readonly plan: Plan | null;
  readonly jobs: { readonly closed: readonly JobAccount[]; readonly open: readonly OpenJobRecord[] };
}): Manifest {
  const { run, progress, plan, jobs } = facts;
  const { unanswered: _, ...rows } = progress.rows;
  const open = jobs.open.map((job) =>
    openJob(
      job,
      progress.jobs.find(({ jobId }) => jobId === job.jobId),
      plan,
    ),
  );
  return {
    batchId: run.batchId,
    generation: null,
    outcome: null,
    phase: progress.phase,
    provider: plan?.provider ?? run.provider,
    endpoint: plan?.endpoint ?? run.endpoint,
    model: plan?.model ?? run.model,
    input: plan?.input ?? null,
    rows,
    jobs: [...jobs.closed, ...open].toSorted((a, b) => a.shard - b.shard || a.round - b.round),
    usage: {},
    results: null,
    errors: null,
    failure: null,
    startedAt: run.startedAt,
    finishedAt: null,
  };
}

/** Rows are counted when their job's answers are collected, so an open job has none of either kind. */
function openJob(record: OpenJobRecord, live: JobProgress | undefined, plan: Plan | null): JobAccount {
  const { shard, round, jobId, createdAt } = record;
  const inFirstRound = round === 1 ? (plan?.shards[shard]?.rows ?? 0) : 0;
  return {
    shard,
    round,
    jobId,
    status: live?.status ?? UNKNOWN_STATUS,
    requests: live?.requests ?? inFirstRound,
    succeeded: 0,
    failed: 0,
    createdAt,
    completedAt: null,
  };
}
