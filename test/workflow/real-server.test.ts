import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { lostAnswer, refusal } from '../support/provider-errors.js';
import { until } from '../support/until.js';
import { WorkflowEnv } from '../support/workflow-env.js';

/*
 * What the time-skipping server (1.38.0) does otherwise than a real one: it never tells a parent that its child was
 * terminated, and it repeats an attempt that failed while its cancel was on the way.
 */

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.startReal(inject('workflowBundlePath'));
});

afterAll(() => env.close());

const eachSecond = { pollMin: '1s', pollMax: '1s' };

test('a shard terminated by hand is started once more to cancel and collect its job', async () => {
  const batch = await env.batch('shard-terminated', {
    rows: 20,
    input: { shardRows: 10, ...eachSecond },
    provider: { course: (n) => ({ durationMs: n === 1 ? 60_000 : 4_000, cancelMs: 500 }) },
  });
  batch.onBefore('getJob', async ({ n, input }) => {
    if (n === 1) await until('there are two jobs', () => batch.provider.jobs.length === 2);
    const ofFirst = JSON.stringify(input).includes('"job-1"');
    if (ofFirst && batch.provider.jobs[0]?.cancels === 0)
      await batch.shardOfJob('job-1').terminate('by hand');
  });
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'partial', failure: null });
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1, 0]);
  expect(summary.rows.cancelled).toBeGreaterThan(0);
  expect(summary.rows.succeeded + summary.rows.cancelled).toBe(20);
});

test('a cancel during a create without an answer waits until its job shows, and cancels it', async () => {
  const batch = await env.batch('ambiguous-cancel', {
    input: eachSecond,
    createSettleMs: 4_000,
    provider: { listedAfterMs: 2_000, course: () => ({ durationMs: 60_000, cancelMs: 500 }) },
  });
  batch.provider.fault = (route, n) => (route === 'createJob' && n === 1 ? lostAnswer() : null);
  batch.onBefore('createJob', async (call) => {
    if (call.n === 1) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  expect((await batch.run()).outcome).toBe('cancelled');
  expect(batch.provider.jobs.map((job) => job.cancels)).toEqual([1]);
  expect(await batch.manifest()).toMatchObject({ jobs: [{ jobId: 'job-1' }] });
});

test('a cancel during an upload that fails ends the batch as cancelled, not as failed', async () => {
  const batch = await env.batch('upload-cancel', { input: eachSecond });
  batch.provider.fault = (route) => (route === 'uploadFile' ? refusal('ProviderUnavailable', 503) : null);
  batch.onBefore('upload', async (call) => {
    if (call.n === 1) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  expect(await batch.run()).toMatchObject({ outcome: 'cancelled', failure: null, rows: { cancelled: 4 } });
});

test('a cancel during a preparation that fails ends the batch as cancelled, not as failed', async () => {
  const batch = await env.batch('prepare-cancel');
  batch.onBefore('prepare', async (call) => {
    if (call.n > 1) return;
    await batch.during(call, () => batch.handle.signal('cancel', {}));
    throw new Error('a fault of the machine');
  });
  expect(await batch.run()).toMatchObject({ outcome: 'cancelled', failure: null });
});

test('attempts that failed otherwise do not count for a failure that is retried a few times', async () => {
  const batch = await env.batch('streak', { input: eachSecond });
  batch.provider.fault = (route, n) => {
    if (route !== 'uploadFile') return null;
    return n === 2 ? refusal('ProviderUnavailable', 503) : refusal('ProviderContract', 200);
  };
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'ProviderContract' } });
  expect(batch.callsOf('upload')).toBe(7);
});
