import type { JobAccount, OpenJob } from '../batch/account.js';
import type { Store } from '../storage/store.js';
import { closedAccounts } from './closed-rounds.js';
import type { AssembleInput } from './contract.js';

/** Every job of the batch that is known of, in order of shard and round, duplicates after the job they double. */
export async function jobAccounts(
  store: Store,
  batchId: string,
  shards: number,
  input: Pick<AssembleInput, 'openJobs' | 'duplicates'>,
): Promise<JobAccount[]> {
  const jobs = new Map<string, JobAccount>();
  for (let shard = 0; shard < shards; shard += 1) {
    for (const account of await closedAccounts(store, batchId, shard)) {
      jobs.set(account.job.jobId, plain(account.job));
      for (const duplicate of account.duplicates)
        jobs.set(duplicate.jobId, { ...plain(duplicate), duplicate: true });
    }
  }
  for (const job of input.openJobs) if (!jobs.has(job.jobId)) jobs.set(job.jobId, unfinished(job));
  for (const job of input.duplicates) {
    if (!jobs.has(job.jobId)) jobs.set(job.jobId, { ...unfinished(job), duplicate: true });
  }
  return [...jobs.values()].toSorted(
    (a, b) =>
      a.shard - b.shard || a.round - b.round || Number(a.duplicate ?? false) - Number(b.duplicate ?? false),
  );
}

function plain(job: Omit<JobAccount, 'duplicate'>): JobAccount {
  const { shard, round, jobId, status, requests, succeeded, failed, createdAt, completedAt } = job;
  return { shard, round, jobId, status, requests, succeeded, failed, createdAt, completedAt };
}

/** A job that was not collected: its status is the last one seen. */
function unfinished({ shard, round, jobId, status, createdAt, requests }: OpenJob): JobAccount {
  return { shard, round, jobId, status, requests, succeeded: 0, failed: 0, createdAt, completedAt: null };
}
