import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { refusal } from '../support/provider-errors.js';
import { WorkflowEnv } from '../support/workflow-env.js';

const MINUTE = 60_000;

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.start(inject('workflowBundlePath'));
});

afterAll(() => env.close());

const eachMinute = { pollMin: '1m', pollMax: '1m' };
const halfAnHour = { course: () => ({ durationMs: 30 * MINUTE }) };

test.each([
  ['cancelled', (jobId: string) => ['cancelJob', jobId] as const],
  ['deleted', (jobId: string) => ['deleteJob', jobId] as const],
])('a job that somebody %s gives way to another one with its key', async (how, call) => {
  const batch = await env.batch(`taken-${how}`, { input: eachMinute, provider: halfAnHour });
  batch.onBefore('getJob', async ({ n }) => {
    if (n !== 3) return;
    await batch.provider.duplicate('job-1');
    const [route, jobId] = call('job-1');
    await batch.provider[route](jobId);
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  expect(batch.callsOf('createJob')).toBe(1);
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([how === 'cancelled' ? 1 : 0, 0]);
  const { jobs } = await batch.manifest();
  expect(jobs[0]).toMatchObject({ jobId: 'job-2', status: 'SUCCESS', succeeded: 4 });
  expect(jobs.slice(1).map(({ jobId, duplicate }) => ({ jobId, duplicate }))).toEqual([
    { jobId: 'job-1', duplicate: true },
  ]);
});

test('a job that was cancelled by somebody, and is the only one, ends its rows as cancelled', async () => {
  const batch = await env.batch('taken-alone', { input: eachMinute, provider: halfAnHour });
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 3) await batch.provider.cancelJob('job-1');
  });
  expect(await batch.run()).toMatchObject({ outcome: 'partial', jobs: 1 });
});

test('a duplicate whose cancel failed is asked again at the next look, and listed once', async () => {
  const batch = await env.batch('dup-refused', {
    input: eachMinute,
    provider: {
      course: (n) => ({
        durationMs: n === 2 ? 600 * MINUTE : 5 * MINUTE,
        answer: (row, jobs) => (row === 'row-0' && jobs === 1 ? 500 : 'ok'),
      }),
    },
  });
  batch.provider.fault = (route, n) =>
    route === 'cancelJob' && n === 1 ? refusal('ProviderRejected', 422) : null;
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 1) await batch.provider.duplicate('job-1');
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  expect(batch.provider.callsOf('cancelJob')).toBe(2);
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([0, 1, 0]);
  const { jobs } = await batch.manifest();
  expect(jobs.map(({ jobId, round, duplicate }) => ({ jobId, round, duplicate }))).toEqual([
    { jobId: 'job-1', round: 1, duplicate: undefined },
    { jobId: 'job-2', round: 1, duplicate: true },
    { jobId: 'job-3', round: 2, duplicate: undefined },
  ]);
  // As it was seen last, not as it was when the round was closed.
  expect(jobs[1]?.status).toMatch(/^CANCEL/);
});

test('a duplicate that takes the place of a lost job is listed as the job that answered', async () => {
  const batch = await env.batch('dup-kept', { input: eachMinute, provider: halfAnHour });
  batch.provider.fault = (route) => {
    // The list right after the create shows the duplicate, and nobody can cancel it.
    if (route === 'listJobs' && batch.provider.jobs.length === 1) void batch.provider.duplicate('job-1');
    return route === 'cancelJob' ? refusal('ProviderRejected', 422) : null;
  };
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 3) await batch.provider.deleteJob('job-1');
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  const { jobs } = await batch.manifest();
  // The lost one ran too, and may be paid for.
  expect(jobs).toMatchObject([
    { jobId: 'job-2', status: 'SUCCESS', succeeded: 4 },
    { jobId: 'job-1', duplicate: true },
  ]);
  expect(jobs[0]).not.toHaveProperty('duplicate');
});

test('a job that shows while the answers of the last round are downloaded is found before the shard closes', async () => {
  const batch = await env.batch('dup-in-collect', {
    input: eachMinute,
    provider: { course: (n) => ({ durationMs: n === 2 ? 600 * MINUTE : 5 * MINUTE }) },
    createSettleMs: 2_000,
  });
  // The server's time stands still while an activity runs; between its attempts it passes.
  batch.onBefore('collect', async ({ n }) => {
    if (n === 1) await batch.provider.duplicate('job-1');
    if (n <= 3) throw new Error('the download was cut');
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([0, 1]);
  const { jobs } = await batch.manifest();
  expect(jobs.map(({ jobId, duplicate }) => ({ jobId, duplicate }))).toEqual([
    { jobId: 'job-1', duplicate: undefined },
    { jobId: 'job-2', duplicate: true },
  ]);
});
