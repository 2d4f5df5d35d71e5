import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { ProviderError } from '../../providers/errors.js';
import { lostAnswer, refusal } from '../support/provider-errors.js';
import { until } from '../support/until.js';
import { WorkflowEnv } from '../support/workflow-env.js';

/*
 * What the time-skipping server (1.38.0) does otherwise than a real one: it never tells a parent that its child was
 * terminated, it repeats an attempt that failed while its cancel was on the way, and one whose next is due at once.
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
    const type = n === 2 ? 'ProviderUnavailable' : 'ProviderContract';
    return { when: 'before', error: new ProviderError(type, 'no', { effect: 'refused', retryAfterMs: 10 }) };
  };
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'ProviderContract' } });
  expect(batch.callsOf('upload')).toBe(7);
});

test('a run that was terminated while it assembled can not end the next one', async () => {
  const batch = await env.batch('late-assemble', {
    rows: 2,
    input: eachSecond,
    provider: { course: () => ({ durationMs: 1_000 }) },
  });
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n === 1 ? refusal('ProviderRejected', 422) : null;
  batch.onBefore('assemble', ({ n }) => (n === 1 ? held : undefined));
  // The next run is prepared and has not come to its end: its job takes a second.
  batch.onBefore('checkAccount', ({ n }) => (n === 2 ? letGo() : undefined));
  const first = await batch.start();
  await until('the first run assembles', () => batch.callsOf('assemble') === 1);
  await first.terminate('by hand');
  const summary = await batch.run();
  expect(batch.callsOf('assemble')).toBe(2);
  expect(summary).toMatchObject({ outcome: 'succeeded', generation: 1, rows: { succeeded: 2 } });
  expect(await batch.manifest()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 2 } });
  expect(await batch.words()).toEqual(['ok', 'ok']);
});

test('the job of a shard that was terminated twice is listed in the manifest', async () => {
  const batch = await env.batch('shard-terminated-twice', {
    input: eachSecond,
    provider: { course: () => ({ durationMs: 60_000, cancelMs: 500 }) },
  });
  batch.onBefore('getJob', async () => void (await batch.shard(0).terminate('by hand')));
  batch.onBefore('cancelJob', async () => void (await batch.shard(0).terminate('by hand')));
  expect(await batch.run()).toMatchObject({ outcome: 'partial', jobs: 1, rows: { missing: 4 } });
  expect(await batch.manifest()).toMatchObject({
    jobs: [{ jobId: 'job-1', status: 'UNKNOWN', requests: 4 }],
  });
});

test('a batch that is terminated alone has its shard cancel its job, and the same command goes on', async () => {
  const batch = await env.batch('terminated-alone', {
    input: eachSecond,
    provider: { course: (n) => ({ durationMs: n === 1 ? 600_000 : 1_000, cancelMs: 500 }) },
  });
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 1) await batch.handle.terminate('by hand');
  });
  await expect((await batch.start()).result()).rejects.toMatchObject({
    cause: { name: 'TerminatedFailure' },
  });
  await expect.poll(() => batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', jobs: 2, rows: { succeeded: 4 } });
});

test('a run that is cancelled while it prepares cancels the job that a terminated run has left', async () => {
  const batch = await env.batch('left-running', {
    input: eachSecond,
    provider: { course: () => ({ durationMs: 600_000, cancelMs: 500 }) },
  });
  batch.onBefore('getJob', async ({ n }) => {
    if (n !== 1) return;
    await batch.shard(0).terminate('by hand');
    await batch.handle.terminate('by hand');
  });
  await expect((await batch.start()).result()).rejects.toMatchObject({
    cause: { name: 'TerminatedFailure' },
  });
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([0]);

  batch.onBefore('prepare', async (call) => {
    await batch.during(call, () => batch.handle.signal('cancel', {}));
    throw new Error('a fault of the machine');
  });
  expect(await batch.run()).toMatchObject({ outcome: 'cancelled', jobs: 1 });
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
  expect(await batch.manifest()).toMatchObject({ jobs: [{ jobId: 'job-1', status: 'CANCELLED' }] });
});

test('every activity and every timer says in the history what it is about', async () => {
  const batch = await env.batch('told', {
    rows: 2,
    input: eachSecond,
    provider: { course: () => ({ durationMs: 3_000 }) },
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded' });
  const histories = await Promise.all([batch.handle, batch.shard(0)].map((handle) => handle.fetchHistory()));
  const told = histories
    .flatMap(({ events }) => events ?? [])
    .filter((event) => event.activityTaskScheduledEventAttributes ?? event.timerStartedEventAttributes)
    .map((event) => {
      const data = event.userMetadata?.summary?.data;
      const what = event.activityTaskScheduledEventAttributes?.activityType?.name ?? 'timer';
      return [what, data ? z.string().parse(JSON.parse(Buffer.from(data).toString())) : ''] as const;
    });
  expect(new Set(told.map(([what]) => what))).toEqual(
    new Set([
      'prepare',
      'checkAccount',
      'beginRound',
      'findJob',
      'upload',
      'createJob',
      'getJob',
      'collect',
      'assemble',
      'timer',
    ]),
  );
  for (const [what, summary] of told) expect(summary, what).not.toBe('');
});

test.each(['listJobs', 'createJob', 'downloadFile'])(
  'a provider that wants %s repeated at once, by Retry-After: 0, is asked again',
  async (route) => {
    const batch = await env.batch(`at-once-${route.toLowerCase()}`, {
      input: eachSecond,
      provider: { course: () => ({ durationMs: 1_000 }) },
    });
    batch.provider.fault = (name, n) =>
      name === route && n === 1 ? refusal('ProviderRateLimited', 429, 0) : null;
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded', failure: null });
  },
);
