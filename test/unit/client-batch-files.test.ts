import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layout, roundFile } from '../../batch/layout.js';
import type { Manifest } from '../../batch/manifest.js';
import type { BatchProgress } from '../../batch/progress.js';
import { NO_ROWS } from '../../batch/rows.js';
import { BatchFiles } from '../../client/batch-files.js';
import { toDescription } from '../../client/batch-description.js';
import { noResults } from '../../client/no-results.js';
import { liveManifest } from '../../client/live-manifest.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { openFileStore } from '../../storage/file.js';
import { sha256Hex } from '../../storage/hash.js';
import type { Store } from '../../storage/store.js';
import { TypedSearchAttributes } from '@temporalio/common';

const SHA = 'a'.repeat(64);
const LINES = [
  { custom_id: 'a', response: { status_code: 200, body: { n: 1 } }, error: null, round: 1 },
  { custom_id: null, response: null, error: { type: 'expired', message: 'late' }, round: 2 },
];

let folder: string;
let store: Store;
let files: BatchFiles;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-files-'));
  store = openFileStore(join(folder, 'store'));
  files = new BatchFiles(store, 'b');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function publish(content: string): Promise<Manifest> {
  const reference = (path: string, text: string) => ({
    uri: store.uriOf(path),
    rows: 2,
    bytes: Buffer.byteLength(text),
    sha256: sha256Hex(text),
  });
  await store.writeSmall(layout.results('b'), content);
  const manifest: Manifest = {
    batchId: 'b',
    generation: 1,
    outcome: 'partial',
    phase: 'done',
    provider: 'mistral',
    endpoint: '/v1/x',
    model: 'm',
    input: null,
    rows: { ...NO_ROWS, total: 2, succeeded: 1, expired: 1 },
    jobs: [],
    usage: {},
    results: reference(layout.results('b'), content),
    errors: null,
    failure: null,
    startedAt: '2026-11-22T12:00:00.000Z',
    finishedAt: '2026-11-22T13:00:00.000Z',
  };
  await store.writeSmall(layout.manifest('b'), JSON.stringify(manifest));
  return manifest;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const jsonl = LINES.map((line) => `${JSON.stringify(line)}\n`).join('');

describe('results', () => {
  it('are read line by line, or byte by byte', async () => {
    const manifest = await publish(jsonl);
    expect(await files.manifest()).toEqual(manifest);
    expect(await all(files.results())).toEqual(LINES);
    expect(Buffer.concat(await all(files.bytes('results'))).toString('utf8')).toBe(jsonl);
  });

  it('that no manifest accounts for are not handed out', async () => {
    await store.writeSmall(layout.results('b'), jsonl);
    await expect(all(files.results())).rejects.toMatchObject({ type: 'NotFinished' });
    await expect(all(files.errors())).rejects.toMatchObject({ type: 'NotFinished' });
  });

  it('that a batch ended without are not to be waited for', async () => {
    const failure = { type: 'ProviderAuth', message: 'the key was refused' } as const;
    const manifest = { ...(await publish(jsonl)), outcome: 'failed', failure, results: null, errors: null };
    await store.remove(layout.manifest('b'));
    await store.writeSmall(layout.manifest('b'), JSON.stringify(manifest));
    await expect(all(files.results())).rejects.toMatchObject({
      type: 'NoResults',
      message: 'batch b failed and has no results: ProviderAuth: the key was refused',
    });
  });

  it.each(['succeeded', 'partial'] as const)('that a batch ended with (%s) may be gone', (outcome) => {
    const account = { batchId: 'b', outcome, results: null, failure: null };
    const { type, message } = noResults(account);
    expect(type).toBe('NoResults');
    expect(message).toContain(`batch b ended as ${outcome}. Its results are not in the store`);
    expect(message).not.toContain('failed');
  });

  it('that were cut or changed are noticed', async () => {
    await publish(jsonl);
    await store.writeSmall(layout.results('b'), jsonl.slice(0, -5));
    await expect(all(files.bytes('results'))).rejects.toMatchObject({ type: 'IntegrityMismatch' });
    await store.writeSmall(layout.results('b'), jsonl.replace('"error":null', '"error":1234'));
    await expect(all(files.results())).rejects.toMatchObject({
      type: 'IntegrityMismatch',
      message: expect.stringContaining('line 1 of'),
    });
  });

  it('that are gone are the store’s failure', async () => {
    await publish(jsonl);
    await store.remove(layout.results('b'));
    await expect(all(files.bytes('results'))).rejects.toMatchObject({
      name: 'LonghaulError',
      type: 'StorageMismatch',
    });
  });
});

it('a manifest that Longhaul did not write is refused', async () => {
  await store.writeSmall(layout.manifest('b'), '{"batchId": "b"');
  await expect(files.manifest()).rejects.toMatchObject({ name: 'LonghaulError', type: 'StorageMismatch' });
  await store.writeSmall(layout.manifest('b'), '{"batchId": "b"}');
  await expect(files.manifest()).rejects.toMatchObject({ message: expect.stringContaining('generation') });
});

describe('a batch that runs', () => {
  const job = {
    shard: 0,
    round: 1,
    jobId: 'job-1',
    status: 'SUCCESS',
    requests: 3,
    succeeded: 2,
    failed: 1,
    createdAt: '2026-11-22T12:00:01.000Z',
    completedAt: '2026-11-22T12:30:00.000Z',
  };
  const progress: BatchProgress = {
    batchId: 'b',
    phase: 'running',
    paused: false,
    rows: { ...NO_ROWS, total: 3, succeeded: 2, unanswered: 1 },
    rowsDone: 2,
    shards: { total: 1, running: 1, done: 0 },
    jobs: [
      {
        shard: 0,
        round: 2,
        jobId: 'job-2',
        status: 'RUNNING',
        requests: 1,
        completed: 0,
        failed: 0,
        nextPollAt: null,
      },
    ],
    running: [0],
    startedAt: '2026-11-22T12:00:00.000Z',
    etaAt: null,
  };
  const run = toDescription({
    workflowId: 'b',
    runId: 'run',
    status: { code: 1, name: 'RUNNING' },
    startTime: new Date('2026-11-22T12:00:00.000Z'),
    typedSearchAttributes: new TypedSearchAttributes(),
  });

  async function writeRounds(): Promise<void> {
    const account = {
      shard: 0,
      round: 1,
      key: SHA,
      rows: { ...NO_ROWS, total: 3, succeeded: 2, failed: 1 },
      answered: 3,
      takes: NO_ROWS,
      retryable: 1,
      quota: false,
      failure: null,
      answers: { bytes: 1, sha256: SHA },
      jobErrors: [],
      job,
      duplicates: [{ ...job, jobId: 'job-1b', status: 'CANCELLED', succeeded: 0, failed: 0 }],
      files: { input: [], output: [] },
    };
    const first = layout.round('b', 0, 1);
    const second = layout.round('b', 0, 2);
    await store.writeSmall(roundFile.account(first), JSON.stringify(account));
    const record = { key: SHA, jobId: 'job-2', createdAt: Date.parse(job.createdAt), inputFiles: [] };
    await store.writeSmall(roundFile.job(first), JSON.stringify({ ...record, jobId: 'job-1' }));
    await store.writeSmall(roundFile.job(second), JSON.stringify(record));
    await store.writeSmall(roundFile.input(layout.round('b', 0, 3)), '{}\n');
  }

  it('shows closed rounds’ jobs, duplicates and the open job with the provider’s word', async () => {
    await writeRounds();
    const status = liveManifest({ run, progress, plan: null, jobs: await files.jobs() });
    expect(manifestSchema.parse(status)).toMatchObject({
      outcome: null,
      finishedAt: null,
      rows: { total: 3, succeeded: 2 },
      jobs: [
        job,
        { jobId: 'job-1b', duplicate: true },
        { jobId: 'job-2', round: 2, status: 'RUNNING', requests: 1, completedAt: null },
      ],
    });
  });

  it('admits that a job’s status is not known while no worker answers', async () => {
    await writeRounds();
    const status = liveManifest({
      run,
      progress: { ...progress, jobs: [] },
      plan: null,
      jobs: await files.jobs(),
    });
    expect(status.jobs.at(-1)).toMatchObject({ jobId: 'job-2', status: 'UNKNOWN' });
  });
});
