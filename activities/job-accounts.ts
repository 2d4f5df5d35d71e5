import { UNKNOWN_STATUS } from '../batch/account.js';
import type { JobAccount, OpenJob } from '../batch/account.js';
import { layout, parseRoundPath, roundFile } from '../batch/layout.js';
import { jobRecordSchema } from '../schemas/records.js';
import { readLines } from '../storage/jsonl.js';
import { readRecord } from '../storage/record.js';
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
  const doubles: JobAccount[] = [];
  for (let shard = 0; shard < shards; shard += 1) {
    for (const account of await closedAccounts(store, batchId, shard)) {
      jobs.set(account.job.jobId, plain(account.job));
      doubles.push(...account.duplicates.map(plain));
    }
  }
  // One that took the place of a job which was lost is a duplicate no more.
  for (const job of doubles) if (!jobs.has(job.jobId)) jobs.set(job.jobId, { ...job, duplicate: true });
  for (const job of input.openJobs) if (!jobs.has(job.jobId)) jobs.set(job.jobId, unfinished(job));
  for (const job of input.duplicates) {
    const known = jobs.get(job.jobId) ?? { ...unfinished(job), duplicate: true };
    // Looked at again since its round was closed: a cancel that failed then may have worked.
    if (known.duplicate === true) jobs.set(job.jobId, { ...known, status: job.status });
  }
  for (const job of await recordedOnly(store, batchId, jobs)) jobs.set(job.jobId, job);
  return [...jobs.values()].toSorted(
    (a, b) =>
      a.shard - b.shard || a.round - b.round || Number(a.duplicate ?? false) - Number(b.duplicate ?? false),
  );
}

/**
 * Jobs that the store records and nobody has spoken of: those of shards that were terminated again and again. They may
 * run on and cost money, so they are listed, though nothing is known of their state.
 */
async function recordedOnly(
  store: Store,
  batchId: string,
  known: ReadonlyMap<string, JobAccount>,
): Promise<JobAccount[]> {
  const found: JobAccount[] = [];
  for await (const { path } of store.list(layout.rounds(batchId))) {
    const place = parseRoundPath(path);
    if (place === null || !path.endsWith('/job.json')) continue;
    const record = await readRecord(store, path, jobRecordSchema);
    if (record === null || known.has(record.jobId)) continue;
    const { jobId } = record;
    const requests = await rowsOf(store, roundFile.input(layout.round(batchId, place.shard, place.round)));
    const createdAt = new Date(record.createdAt).toISOString();
    found.push(unfinished({ ...place, jobId, status: UNKNOWN_STATUS, createdAt, requests }));
  }
  return found;
}

async function rowsOf(store: Store, path: string): Promise<number> {
  if ((await store.stat(path)) === null) return 0;
  let rows = 0;
  for await (const lines of readLines(store.read(path))) rows += lines.length;
  return rows;
}

function plain(job: Omit<JobAccount, 'duplicate'>): JobAccount {
  const { shard, round, jobId, status, requests, succeeded, failed, createdAt, completedAt } = job;
  return { shard, round, jobId, status, requests, succeeded, failed, createdAt, completedAt };
}

/** A job that was not collected: its status is the last one seen. */
function unfinished({ shard, round, jobId, status, createdAt, requests }: OpenJob): JobAccount {
  return { shard, round, jobId, status, requests, succeeded: 0, failed: 0, createdAt, completedAt: null };
}
