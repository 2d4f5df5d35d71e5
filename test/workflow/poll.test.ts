import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { WorkflowEnv } from '../support/workflow-env.js';

const HOUR = 3_600_000;

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.start(inject('workflowBundlePath'));
});

afterAll(() => env.close());

test('a batch goes to its end by one upload and one job', async () => {
  const batch = await env.batch('small');
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'succeeded', jobs: 1, failure: null });
  expect(await batch.words()).toEqual(['ok', 'ok', 'ok', 'ok']);
  expect(await batch.manifest()).toMatchObject({ outcome: 'succeeded', generation: 1, phase: 'done' });
  expect(batch.provider.callsOf('uploadFile')).toBe(1);
  expect(batch.provider.callsOf('createJob')).toBe(1);
});

test('a job of seven days is polled to its end at most 1,150 times', async () => {
  const batch = await env.batch('week', {
    input: { jobTimeout: '168h' },
    provider: { course: () => ({ durationMs: 7 * 24 * HOUR - 60_000 }) },
  });
  const summary = await batch.run();
  expect(summary.outcome).toBe('succeeded');
  expect(batch.callsOf('getJob')).toBeLessThanOrEqual(1_150);
  expect(batch.callsOf('getJob')).toBeGreaterThan(500);
  // What the shard did is its own history; the batch's stays that of a batch of a minute.
  expect(await batch.eventsOf(batch.handle)).toBeLessThan(60);
});

test('a shard that continues as new takes along all that it knows', async () => {
  const batch = await env.batch('continued', {
    input: { maxHistory: 40, jobTimeout: '1h' },
    rows: 3,
    provider: {
      course: () => ({
        durationMs: 20 * 60_000,
        answer: (id, round) => (id === 'row-1' && round === 1 ? 429 : 'ok'),
      }),
    },
  });
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'succeeded', jobs: 2 });
  expect(batch.provider.callsOf('createJob')).toBe(2);
  expect(batch.provider.callsOf('uploadFile')).toBe(2);
  const runs = await env.runsOf(batch.shard(0));
  expect(runs).toBeGreaterThan(3);
  const { jobs } = await batch.manifest();
  expect(jobs.map(({ round, requests, succeeded }) => ({ round, requests, succeeded }))).toEqual([
    { round: 1, requests: 3, succeeded: 2 },
    { round: 2, requests: 1, succeeded: 1 },
  ]);
});

test('a cancel and its patience survive a continue-as-new', async () => {
  const batch = await env.batch('continued-control', {
    input: { maxHistory: 30, jobTimeout: '1h' },
    provider: { course: () => ({ durationMs: 50 * 60_000, cancelMs: 40 * 60_000 }) },
  });
  let runsAtCancel = 0;
  batch.onBefore('getJob', async ({ n }) => {
    if (n !== 10) return;
    runsAtCancel = await env.runsOf(batch.shard(0));
    await batch.handle.signal('cancel', { mode: 'keep' });
  });
  const summary = await batch.run();
  expect(runsAtCancel).toBeGreaterThan(1);
  expect(await env.runsOf(batch.shard(0))).toBeGreaterThan(runsAtCancel + 1);
  expect(summary.outcome).toBe('cancelled');
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
  // The job needs 40 minutes for its cancel and is waited for 15: its last status stays in the manifest.
  const { jobs, rows } = await batch.manifest();
  expect(jobs).toMatchObject([{ status: 'CANCELLATION_REQUESTED', succeeded: 0, completedAt: null }]);
  expect(rows).toMatchObject({ total: 4, cancelled: 4 });
});
