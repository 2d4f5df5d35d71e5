import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { FastifyInstance, FastifyRequest } from 'fastify';

import { ApiError, notFound, pendingQuota } from '../errors.js';
import { isJobFault, jobFault } from '../faults/job-edits.js';
import type { StoredFile } from '../files/stored-file.js';
import type { Fields } from '../json.js';
import { tryParseJson } from '../json.js';
import { parseCreateRequest } from '../jobs/create-request.js';
import type { CreateJobRequest } from '../jobs/create-request.js';
import { jobObject } from '../jobs/job.js';
import type { Job } from '../jobs/job.js';
import { jobFilterOf, passes } from '../jobs/list-query.js';
import { booleanParam, pageOf, pageParams, queryOf, uuidParam } from '../query.js';
import { contextOf, workspaceOf } from '../request-context.js';
import type { EmulatorState } from '../state.js';

interface InputSource {
  readonly rows: number;
  /** Makes the input readable: paths of its files, and the one that belongs to the job alone. */
  readonly prepare: () => Promise<{ readonly paths: readonly string[]; readonly own: string | null }>;
}

function findInputFile(state: EmulatorState, workspace: string, id: string): StoredFile {
  const file = state.files.get(workspace, id);
  if (file === undefined) throw new ApiError(notFound(`File ${id} was not found.`));
  return file;
}

function inputSource(state: EmulatorState, workspace: string, { input }: CreateJobRequest): InputSource {
  if (input.kind === 'files') {
    const files = input.ids.map((id) => findInputFile(state, workspace, id));
    return {
      rows: files.reduce((sum, file) => sum + (file.numLines ?? 0), 0),
      prepare: async () => ({ paths: files.map((file) => file.path), own: null }),
    };
  }
  return {
    rows: input.rows.length,
    prepare: async () => {
      const path = join(state.directory, `inline-${randomUUID()}.jsonl`);
      await writeFile(path, input.rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      return { paths: [path], own: path };
    },
  };
}

function checkQuota(state: EmulatorState, workspace: string, rows: number): void {
  const limit = state.settings.maxPendingRequests;
  const pending = state.jobs.pendingRows(workspace);
  if (pending + rows > limit) throw new ApiError(pendingQuota(limit, pending, rows));
}

async function createJob(state: EmulatorState, request: FastifyRequest): Promise<Fields> {
  const context = contextOf(request);
  const workspace = workspaceOf(request);
  const create = parseCreateRequest(request.body);
  const source = inputSource(state, workspace, create);
  checkQuota(state, workspace, source.rows);
  const input = await source.prepare();
  const job = state.jobs.create({
    workspace,
    request: create,
    inputPaths: input.paths,
    ownInput: input.own,
    expectedRows: source.rows,
    faults: context.faults.filter(isJobFault),
  });
  state.journal.update(context.entry, { effect: { created: job.id } });
  // As documented: a new job is QUEUED, and what it will do is not known yet, however short it is going to be.
  return jobObject(job, job.timeline.createdAt);
}

/** A new job may be invisible for a while: to gets for `transient404`, to lists for `listLag`. */
function isHidden(job: Job, from: 'get' | 'list', now: number): boolean {
  const limits = from === 'get' ? jobFault(job.faults, 'transient404') : jobFault(job.faults, 'listLag');
  if (limits === undefined) return false;
  if (limits.ms !== null && now < job.timeline.createdAt + limits.ms) return true;
  const most = limits.type === 'transient404' ? limits.times : limits.calls;
  const soFar = from === 'get' ? job.hiddenGets : job.hiddenLists;
  if (most === null || soFar >= most) return false;
  if (from === 'get') job.hiddenGets += 1;
  else job.hiddenLists += 1;
  return true;
}

function findJob(state: EmulatorState, request: FastifyRequest): Job {
  const id = uuidParam(request.params, 'job_id');
  const job = state.jobs.get(workspaceOf(request), id);
  if (job === undefined) throw new ApiError(notFound(`Batch job ${id} was not found.`));
  return job;
}

async function readOutputs(state: EmulatorState, job: Job): Promise<readonly unknown[] | null> {
  const id = job.end?.outputFile ?? null;
  const file = id === null ? undefined : state.files.get(job.workspace, id);
  if (file === undefined) return null;
  const outputs: unknown[] = [];
  const lines = createInterface({ input: createReadStream(file.path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    const parsed = tryParseJson(line);
    if (parsed !== undefined) outputs.push(parsed);
  }
  return outputs;
}

async function getJob(state: EmulatorState, request: FastifyRequest): Promise<Fields> {
  const inline = booleanParam(queryOf(request.query), 'inline', false);
  const job = findJob(state, request);
  const now = state.settings.now();
  if (isHidden(job, 'get', now)) throw new ApiError(notFound(`Batch job ${job.id} was not found.`));
  const wire = jobObject(job, now);
  return inline ? { ...wire, outputs: await readOutputs(state, job) } : wire;
}

function listJobs(state: EmulatorState, request: FastifyRequest): Fields {
  const query = queryOf(request.query);
  const page = pageParams(query);
  const filter = jobFilterOf(query);
  const now = state.settings.now();
  const found = state.jobs
    .list(workspaceOf(request))
    .filter((job) => !isHidden(job, 'list', now))
    .map((job) => ({ wire: jobObject(job, now), createdAt: job.timeline.createdAt }))
    .filter(({ wire, createdAt }) => passes(filter, wire, createdAt))
    .map(({ wire }) => wire);
  const ordered = filter.newestFirst ? found.toReversed() : found;
  return { data: pageOf(ordered, page), object: 'list', total: ordered.length };
}

async function deleteJob(state: EmulatorState, request: FastifyRequest): Promise<Fields> {
  const job = findJob(state, request);
  await state.jobs.delete(job);
  state.journal.update(contextOf(request).entry, { effect: { deleted: job.id } });
  return { id: job.id, object: 'batch', deleted: true };
}

/** Cancelling an ended job changes nothing and is no error. */
function cancelJob(state: EmulatorState, request: FastifyRequest): Fields {
  const job = findJob(state, request);
  if (state.jobs.cancel(job)) {
    state.journal.update(contextOf(request).entry, { effect: { cancelled: job.id } });
  }
  return jobObject(job, state.settings.now());
}

export function addJobRoutes(app: FastifyInstance, state: EmulatorState): void {
  app.get('/v1/batch/jobs', async (request) => listJobs(state, request));
  app.post('/v1/batch/jobs', async (request) => createJob(state, request));
  app.get('/v1/batch/jobs/:job_id', async (request) => getJob(state, request));
  app.delete('/v1/batch/jobs/:job_id', async (request) => deleteJob(state, request));
  app.post('/v1/batch/jobs/:job_id/cancel', async (request) => cancelJob(state, request));
}
