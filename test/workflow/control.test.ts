import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { isTerminal } from '../../batch/job-phase.js';
import {
  batchProgressQuery,
  pauseUpdate,
  resumeUpdate,
  shardProgressQuery,
} from '../../workflows/messages.js';
import { refusal } from '../support/provider-errors.js';
import { WorkflowEnv } from '../support/workflow-env.js';

const MINUTE = 60_000;

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.start(inject('workflowBundlePath'));
});

afterAll(() => env.close());

const refusedOnce = (_id: string, round: number) => (round === 1 ? 429 : ('ok' as const));

test('a pause across a round lets the running job be collected and creates no other until resume', async () => {
  const batch = await env.batch('pause-round', {
    input: { maxHistory: 40 },
    provider: { course: () => ({ durationMs: 20 * MINUTE, answer: refusedOnce }) },
  });
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 3) await batch.handle.executeUpdate(pauseUpdate);
  });
  const handle = await batch.start();
  await env.server.sleep('2h');
  await expect.poll(() => batch.callsOf('beginRound')).toBe(2);
  expect(batch.callsOf('collect')).toBe(1);
  expect(batch.provider.callsOf('createJob')).toBe(1);
  expect(await handle.query(batchProgressQuery)).toMatchObject({ phase: 'paused', paused: true });
  expect(await env.runsOf(batch.shard(0))).toBeGreaterThan(1);
  await handle.executeUpdate(resumeUpdate);
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 2 });
});

test('a signal `shardPhase` that says nothing is passed over', async () => {
  const batch = await env.batch('mute-signal', { provider: { course: () => ({ durationMs: 20 * MINUTE }) } });
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 2) await batch.handle.signal('shardPhase');
    if (n === 3) await batch.handle.signal('shardPhase', { shard: '0', phase: 'waiting-for-auth' });
  });
  const handle = await batch.start();
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
});

test('a pause while the input is being uploaded holds the create back', async () => {
  const batch = await env.batch('pause-upload');
  batch.onBefore('upload', (call) => batch.during(call, () => batch.handle.signal('pause')));
  const handle = await batch.start();
  await expect.poll(() => batch.provider.callsOf('uploadFile')).toBe(1);
  await env.server.sleep('10m');
  expect(batch.provider.callsOf('createJob')).toBe(0);
  await handle.signal('resume');
  expect((await handle.result()).outcome).toBe('succeeded');
});

test('a pause while a create waits to be tried again keeps the next attempt from creating the job', async () => {
  const batch = await env.batch('pause-create');
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n === 1 ? refusal('ProviderRateLimited', 429, 10 * MINUTE) : null;
  const handle = await batch.start();
  await expect.poll(() => batch.provider.callsOf('createJob')).toBe(1);
  await handle.signal('pause');
  await env.server.sleep('2h');
  expect(await handle.query(batchProgressQuery)).toMatchObject({ phase: 'paused' });
  expect(batch.provider.callsOf('createJob')).toBe(1);
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 1 });
  expect(batch.provider.callsOf('createJob')).toBe(2);
});

test('shards that are started while the batch is paused create nothing until resume', async () => {
  const batch = await env.batch('pause-window', { rows: 4, input: { shardRows: 1, maxJobs: 2 } });
  batch.onBefore('checkAccount', () => batch.handle.signal('pause'));
  const handle = await batch.start();
  await env.server.sleep('10m');
  await expect.poll(() => batch.callsOf('findJob')).toBe(2);
  expect(batch.provider.callsOf('createJob')).toBe(0);
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 4 });
});

test('no more than maxJobs jobs run at the same time', async () => {
  let most = 0;
  const batch = await env.batch('window', { rows: 7, input: { shardRows: 1, maxJobs: 3 } });
  batch.onAfter('createJob', async () => {
    const now = await env.server.currentTimeMs();
    most = Math.max(most, batch.provider.jobs.filter((job) => !isTerminal(job.phaseAt(now))).length);
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', jobs: 7 });
  expect(most).toBe(3);
});

test('rows are sent again until rounds run out, and keep their last error', async () => {
  const batch = await env.batch('rounds', {
    rows: 4,
    input: { maxRounds: 2 },
    provider: {
      course: () => ({
        answer: (id, round) =>
          id === 'row-0' ? 503 : id === 'row-1' ? 404 : id === 'row-2' && round === 1 ? 'missing' : 'ok',
      }),
    },
  });
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'partial', jobs: 2, rows: { succeeded: 2, failed: 2 } });
  expect(batch.provider.jobs.map(({ rows }) => rows.map(({ customId }) => customId))).toEqual([
    ['row-0', 'row-1', 'row-2', 'row-3'],
    ['row-0', 'row-2'],
  ]);
  expect(await batch.words()).toEqual(['http_error', 'http_error', 'ok', 'ok']);
});

test('at the deadline jobs are cancelled and collected, the rest is expired, the outcome partial', async () => {
  const batch = await env.batch('deadline', {
    rows: 10,
    input: { deadline: '20m', shardRows: 5, maxJobs: 1 },
    provider: { course: () => ({ durationMs: 30 * MINUTE }) },
  });
  const summary = await batch.run();
  expect(summary.outcome).toBe('partial');
  expect(summary.failure?.type).toBe('DeadlineExceeded');
  expect(summary.rows.succeeded).toBeGreaterThan(0);
  expect(summary.rows.succeeded + summary.rows.expired).toBe(10);
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
});

test('a deadline that passes while the batch is paused leaves all rows expired, and says so', async () => {
  const batch = await env.batch('deadline-paused', { input: { deadline: '20m' } });
  batch.onBefore('checkAccount', () => batch.handle.signal('pause'));
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'partial', jobs: 0, rows: { expired: 4 } });
  expect(summary.failure?.type).toBe('DeadlineExceeded');
  expect(batch.provider.callsOf('createJob')).toBe(0);
});

test('the deadline counts from the start of the batch, through continue-as-new', async () => {
  const batch = await env.batch('deadline-continued', {
    input: { deadline: '20m', maxHistory: 30 },
    provider: { course: () => ({ durationMs: 10 * 60 * MINUTE }) },
  });
  const started = await env.server.currentTimeMs();
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'partial', rows: { expired: 4 } });
  expect(await env.runsOf(batch.shard(0))).toBeGreaterThan(1);
  const { jobs } = await batch.manifest();
  const ended = Date.parse(jobs[0]?.completedAt ?? '');
  expect(ended - started).toBeGreaterThanOrEqual(20 * MINUTE);
  expect(ended - started).toBeLessThan(21 * MINUTE);
});

test('pollNow looks at the job at once', async () => {
  const batch = await env.batch('poll-now', {
    input: { pollMin: '10m', pollMax: '10m' },
    provider: { course: () => ({ durationMs: 15 * MINUTE }) },
  });
  const handle = await batch.start();
  await expect.poll(() => batch.callsOf('createJob')).toBe(1);
  await expect.poll(async () => (await batch.shardProgress(0))?.job?.nextPollAt).toEqual(expect.any(String));
  await handle.signal('pollNow');
  await expect.poll(() => batch.callsOf('getJob')).toBe(1);
  expect((await handle.result()).outcome).toBe('succeeded');
  expect(batch.callsOf('getJob')).toBe(3);
});

test('progress, search attributes and memo tell where the batch stands', async () => {
  const batch = await env.batch('progress', {
    rows: 6,
    input: { shardRows: 3, maxJobs: 1 },
    provider: { course: () => ({ durationMs: 10 * MINUTE, answer: (id) => (id === 'row-5' ? 404 : 'ok') }) },
  });
  const seen: unknown[] = [];
  const look = async () => {
    const { phase, rows, shards, running } = await batch.handle.query(batchProgressQuery);
    seen.push({ phase, total: rows.total, unanswered: rows.unanswered, done: shards.done, running });
  };
  batch.onBefore('prepare', look);
  batch.onBefore('getJob', async ({ n, workflowId }) => {
    if (n === 2) {
      await look();
      const shard = await batch.handleOf(workflowId).query(shardProgressQuery);
      expect(shard).toMatchObject({
        shard: 0,
        round: 1,
        phase: 'running',
        job: { jobId: 'job-1', requests: 3 },
      });
    }
  });
  batch.onBefore('assemble', look);
  await batch.run();
  expect(seen).toEqual([
    { phase: 'preparing', total: 0, unanswered: 0, done: 0, running: [] },
    { phase: 'running', total: 6, unanswered: 6, done: 0, running: [0] },
    { phase: 'assembling', total: 6, unanswered: 0, done: 2, running: [] },
  ]);
  expect(await batch.handle.query(batchProgressQuery)).toMatchObject({ phase: 'done' });
  const { searchAttributes, memo } = await batch.handle.describe();
  expect(searchAttributes).toMatchObject({
    LonghaulProvider: ['mistral'],
    LonghaulModel: ['mistral-small-latest'],
    LonghaulEndpoint: ['/v1/chat/completions'],
    LonghaulPhase: ['done'],
    LonghaulOutcome: ['partial'],
    LonghaulRows: [6],
    LonghaulRowsFailed: [1],
  });
  expect(memo?.['longhaulFingerprint']).toMatch(/^[0-9a-f]{64}$/);
});

test('a run that finds its batch finished shows as many rows as the one that finished it', async () => {
  const batch = await env.batch('finished-rows');
  expect((await batch.run()).outcome).toBe('succeeded');
  expect((await batch.run()).outcome).toBe('succeeded');
  expect(batch.callsOf('assemble')).toBe(1);
  expect((await batch.handle.describe()).searchAttributes).toMatchObject({ LonghaulRows: [4] });
});
