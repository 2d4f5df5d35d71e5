import type { z } from 'zod';
import { isTerminal } from '../../batch/job-phase.js';
import { batchJobSchema, type MistralBatchJob } from '../../schemas/mistral/batch-job.js';
import { createBatchJobSchema } from '../../schemas/mistral/create-batch-job.js';
import { deletedSchema } from '../../schemas/mistral/file.js';
import { readBatchJobPage } from '../../schemas/mistral/list-page.js';
import { anythingSchema } from '../../schemas/mistral/unreadable-job.js';
import { ProviderError } from '../errors.js';
import { isSuccess } from '../http-answer.js';
import type { CallOptions, CreateJobRequest, JobFilter, RemoteJob } from '../provider.js';
import { segment, type MistralApi } from './api.js';
import { matches, searchUnreadable, type MetadataPairs } from './job-filter.js';
import { PAGE_SIZE, walkPages, type WalkEnd } from './page-walk.js';
import { toRemoteJob } from './remote.js';

/** The provider's clock may be behind ours by as much. */
const CLOCKS_DIFFER_MS = 24 * 3_600_000;

const JOBS = '/v1/batch/jobs';

/** The list's own parameters: metadata keys of these names can't be asked for, see `jobQuery`. */
const LIST_PARAMETERS = new Set([
  'page',
  'page_size',
  'model',
  'agent_id',
  'metadata',
  'created_after',
  'created_by_me',
  'status',
  'order_by',
]);

export async function checkAccount(api: MistralApi, options: CallOptions): Promise<void> {
  const query = new URLSearchParams({ page: '0', page_size: '1' });
  await api.page({ name: 'list jobs', method: 'GET', path: JOBS, query }, readBatchJobPage, options);
}

export async function createJob(
  api: MistralApi,
  request: CreateJobRequest,
  options: CallOptions,
): Promise<RemoteJob> {
  const name = 'create job';
  const body = createBatchJobSchema.safeParse({
    endpoint: request.endpoint,
    input_files: [request.fileId],
    model: request.model,
    timeout_hours: request.timeoutHours,
    metadata: request.metadata,
  });
  if (!body.success) {
    const problems = body.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ProviderError('ProviderRejected', `${name}: not sent; ${problems.join('; ')}`, {
      effect: 'refused',
    });
  }
  const call = { name, method: 'POST', path: JOBS, json: body.data, creates: true } as const;
  return toRemoteJob(await api.json(call, batchJobSchema, options));
}

export async function getJob(api: MistralApi, jobId: string, options: CallOptions): Promise<RemoteJob> {
  return toRemoteJob(await readJob(api, jobId, batchJobSchema, options));
}

async function readJob<T>(
  api: MistralApi,
  jobId: string,
  schema: z.ZodType<T>,
  options: CallOptions,
): Promise<T> {
  const name = 'get job';
  const path = `${JOBS}/${segment(name, jobId)}`;
  return api.json({ name, method: 'GET', path }, schema, options);
}

/** Statuses with which a cancel may be refused because there is nothing left to cancel. */
const NOTHING_TO_CANCEL = new Set([400, 404, 409, 422]);

/**
 * What the API answers to the cancel of a job that has ended is undocumented: a refusal is checked against
 * the job itself. So is an answer that can't be read, since the request was taken.
 */
export async function cancelJob(api: MistralApi, jobId: string, options: CallOptions): Promise<RemoteJob> {
  const name = 'cancel job';
  const path = `${JOBS}/${segment(name, jobId)}/cancel`;
  try {
    return toRemoteJob(await api.json({ name, method: 'POST', path }, batchJobSchema, options));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const status = error.status ?? 0;
    const wasTaken = isSuccess(status);
    if (!wasTaken && !NOTHING_TO_CANCEL.has(status)) throw error;
    const job = await getJob(api, jobId, options);
    if (wasTaken || isTerminal(job.phase)) return job;
    throw error;
  }
}

export async function deleteJob(api: MistralApi, jobId: string, options: CallOptions): Promise<void> {
  const name = 'delete job';
  const path = `${JOBS}/${segment(name, jobId)}`;
  await api.remove({ name, method: 'DELETE', path }, deletedSchema, options);
}

/**
 * Before a job is created it is looked for here, so the walk must not miss one silently. What it can't read
 * or can't reach it reports as an error, but only when it found nothing: with a job in hand no second one
 * is created.
 */
export async function* listJobs(
  api: MistralApi,
  filter: JobFilter,
  options: CallOptions,
): AsyncGenerator<RemoteJob, void, undefined> {
  const wanted = Object.entries(filter.metadata ?? {});
  const unreadable: unknown[] = [];
  const silent: SilentJob[] = [];
  const walk = walkPages<MistralBatchJob>({
    fetchPage: (page) =>
      api.page(
        { name: 'list jobs', method: 'GET', path: JOBS, query: jobQuery(page, wanted) },
        readBatchJobPage,
        options,
      ),
    idOf: (job) => job.id,
    onUnreadable: (entry) => unreadable.push(entry),
  });
  let found = 0;
  let step = await walk.next();
  for (; step.done !== true; step = await walk.next()) {
    const job = step.value;
    // Left out, as opposed to null: the entry lacks the one thing that tells whose the job is.
    if (job.metadata === undefined && wanted.length > 0)
      silent.push({ id: job.id, createdAt: job.created_at });
    if (!matches(job.metadata, wanted)) continue;
    found += 1;
    yield toRemoteJob(job);
  }
  const { mayLackMetadataSince = () => Promise.resolve(0) } = filter;
  const mayLackMetadata = async () => (await mayLackMetadataSince()) !== null;
  if (silent.length > 0 && found === 0) {
    unreadable.push(...youngest(silent, await mayLackMetadataSince()));
  }
  const search = await searchUnreadable(unreadable, wanted, {
    readJob: (id) => readJob(api, id, anythingSchema, options),
    mayLackMetadata,
  });
  for (const job of search.jobs) yield toRemoteJob(job);
  if (found + search.jobs.length > 0 || wanted.length === 0) return;
  mustBeSure(step.value, search.doubt, filter.isKnown ?? false);
  if (step.value === 'withheld' && (await mayLackMetadata())) throw withheld();
}

/**
 * The wire form of the official client: each pair is a parameter of its own, which is why keys that the list
 * knows itself are left out. Whatever the server makes of it, the pairs are compared again here.
 */
function jobQuery(page: number, wanted: MetadataPairs): URLSearchParams {
  const query = new URLSearchParams({
    page: String(page),
    page_size: String(PAGE_SIZE),
    order_by: '-created',
  });
  for (const [key, value] of wanted) {
    if (!LIST_PARAMETERS.has(key)) query.append(key, value);
  }
  return query;
}

/** A job without metadata; an account may have as many as it has jobs. */
interface SilentJob {
  readonly id: string;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** Older ones were there before what is looked for: an account may have thousands. */
function youngest(jobs: readonly SilentJob[], since: number | null): readonly { readonly id: string }[] {
  if (since === null) return [];
  return jobs
    .filter(({ createdAt }) => createdAt * 1000 >= since - CLOCKS_DIFFER_MS)
    .map(({ id }) => ({ id }));
}

function withheld(): ProviderError {
  return new ProviderError(
    'ProviderContract',
    'list jobs: the list counts jobs and brings none, so a job may be missing from it',
    { effect: 'refused' },
  );
}

function mustBeSure(end: WalkEnd, doubt: ProviderError | null, isKnown: boolean): void {
  if (doubt !== null && !isKnown) throw doubt;
  if (end === 'repeats' && !isKnown) {
    throw new ProviderError(
      'ProviderContract',
      'list jobs: the list repeats itself before its end, so a job may be missing from it',
      { effect: 'refused' },
    );
  }
  if (end === 'shrinks') {
    throw new ProviderError(
      'ProviderUnavailable',
      'list jobs: jobs were deleted while the list was read, so one may have been passed over',
      { effect: 'refused' },
    );
  }
}
