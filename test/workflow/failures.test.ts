import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { lostAnswer, refusal } from '../support/provider-errors.js';
import { WorkflowEnv } from '../support/workflow-env.js';

const MINUTE = 60_000;

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.start(inject('workflowBundlePath'));
});

afterAll(() => env.close());

test('a refused create fails the rows of its shard and no others', async () => {
  const batch = await env.batch('rejected', { rows: 6, input: { shardRows: 2, maxJobs: 1 } });
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n === 2 ? refusal('ProviderRejected', 422) : null;
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'partial', failure: { type: 'ProviderRejected' } });
  expect(await batch.words()).toEqual(['ok', 'ok', 'job_failed', 'job_failed', 'ok', 'ok']);
});

test('a batch all of whose creates are refused ends as failed, with a manifest', async () => {
  const batch = await env.batch('rejected-all');
  batch.provider.fault = (route) => (route === 'createJob' ? refusal('ProviderNotFound', 404) : null);
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'ProviderNotFound' } });
  expect(await batch.manifest()).toMatchObject({ outcome: 'failed', rows: { failed: 4 } });
});

test('invalid input fails the workflow with that type, before any call, without a manifest', async () => {
  const batch = await env.batch('invalid', { input: { endpoint: '/v1/nothing' } });
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'InvalidInput', nonRetryable: true } });
  await expect(batch.manifest()).rejects.toThrow('ENOENT');
  expect(batch.provider.calls.size).toBe(0);
  const { searchAttributes } = await batch.handle.describe();
  expect(searchAttributes).toMatchObject({ LonghaulOutcome: ['failed'], LonghaulPhase: ['done'] });
});

test('a refused key publishes a failed manifest before anything is sent; the same batch goes on later', async () => {
  const batch = await env.batch('no-access');
  batch.provider.fault = () => refusal('ProviderAuth', 401);
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'ProviderAuth' } });
  expect(await batch.manifest()).toMatchObject({ outcome: 'failed', generation: 1, jobs: [] });
  expect([...batch.provider.calls.keys()]).toEqual(['checkAccount']);
  batch.provider.fault = () => null;
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', generation: 2 });
});

test('a finished batch is returned at once', async () => {
  const batch = await env.batch('finished');
  const first = await batch.run();
  const calls = [...batch.provider.calls];
  expect(await batch.run()).toEqual(first);
  expect([...batch.provider.calls]).toEqual(calls);
  expect(batch.callsOf('assemble')).toBe(1);
});

test('a cancelled batch goes on where it was: answers stay, only the rest is sent', async () => {
  const batch = await env.batch('again', {
    rows: 10,
    input: { pollMin: '1m', pollMax: '1m' },
    provider: { course: (n) => ({ durationMs: n === 1 ? 30 * MINUTE : MINUTE }) },
  });
  batch.onBefore('getJob', async (call) => {
    if (call.n === 10) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  const { rows } = await batch.run();
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'succeeded', generation: 2, jobs: 2 });
  expect(batch.provider.jobs[1]?.rows).toHaveLength(rows.cancelled);
});

test('a batch whose store is lost ends soon as failed and leaves its job to the next run', async () => {
  const batch = await env.batch('store-lost', {
    provider: { course: () => ({ durationMs: 10 * 60 * MINUTE }) },
  });
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 3) await rm(batch.storeFolder, { recursive: true, force: true });
  });
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'StorageMismatch' } });
  // Not the server's clock now: it may have skipped on.
  const { startTime, closeTime } = await batch.handle.describe();
  expect(closeTime?.getTime()).toBeLessThan(startTime.getTime() + 10 * MINUTE);
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([0]);
});

test('a shard whose store is gone keeps later shards from being started, whatever failed before', async () => {
  const batch = await env.batch('store-lost-later', { rows: 6, input: { shardRows: 1, maxJobs: 1 } });
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n === 1 ? refusal('ProviderRejected', 422) : null;
  batch.onBefore('createJob', async ({ n }) => {
    if (n === 2) await rm(batch.storeFolder, { recursive: true, force: true });
  });
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'StorageMismatch' } });
  expect(batch.callsOf('beginRound')).toBe(2);
});

test('a job that is deleted at the provider is output that is gone, and is not bought again', async () => {
  const batch = await env.batch('deleted', {
    input: { pollMin: '1m', pollMax: '1m' },
    provider: { course: () => ({ durationMs: 60 * MINUTE }) },
  });
  batch.onBefore('getJob', async ({ n }) => {
    if (n === 5) await batch.provider.deleteJob('job-1');
  });
  expect(await batch.run()).toMatchObject({ outcome: 'partial', jobs: 1, rows: { missing: 4 } });
  expect(await batch.words()).toEqual(Array.from({ length: 4 }, () => 'output_gone'));
});

test('a job that one poll does not find, and that is there all the same, is watched to its end', async () => {
  const batch = await env.batch('blinked', {
    input: { pollMin: '1m', pollMax: '1m' },
    provider: { course: () => ({ durationMs: 60 * MINUTE }) },
  });
  batch.provider.fault = (route, n) =>
    route === 'getJob' && (n === 5 || n === 9) ? refusal('ProviderNotFound', 404) : null;
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', jobs: 1, rows: { succeeded: 4 } });
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([0]);
});

test('a job that a poll does not find after a cancel is awaited all the same', async () => {
  const batch = await env.batch('blinked-cancelled', {
    input: { pollMin: '1m', pollMax: '1m' },
    provider: { course: () => ({ durationMs: 60 * MINUTE, cancelMs: 5 * MINUTE }) },
  });
  let cancelled = false;
  batch.provider.fault = (route) => {
    if (route !== 'getJob' || !cancelled) return null;
    cancelled = false;
    return refusal('ProviderNotFound', 404);
  };
  batch.onBefore('getJob', async (call) => {
    if (call.n === 5) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  batch.onBefore('cancelJob', async () => {
    cancelled = true;
  });
  expect(await batch.run()).toMatchObject({ outcome: 'cancelled', rows: { cancelled: 4 } });
});

test('a result file that one look does not find is looked for again, however long ago the job ended', async () => {
  const batch = await env.batch('file-blinked', {
    input: { pollMin: '10m', pollMax: '10m' },
    provider: { course: () => ({ durationMs: 31 * MINUTE }) },
  });
  batch.provider.fault = (route, n) =>
    route === 'downloadFile' && n === 1 ? refusal('ProviderNotFound', 404) : null;
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
});

test('a job that can not be found in its first minute is looked for again', async () => {
  const batch = await env.batch('shows-late');
  batch.provider.fault = (route, n) =>
    route === 'getJob' && n <= 3 ? refusal('ProviderNotFound', 404) : null;
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', jobs: 1 });
});

test('a create without an answer is found by its key, not sent again', async () => {
  const batch = await env.batch('ambiguous', { provider: { listedAfterMs: 60_000 } });
  batch.provider.fault = (route, n) => (route === 'createJob' && n === 1 ? lostAnswer() : null);
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', jobs: 1 });
  expect(batch.provider.jobs).toHaveLength(1);
});

test('a file that is cut short once after a long outage is read again', async () => {
  const batch = await env.batch('cut-after-outage');
  batch.provider.fault = (route, n) => {
    if (route !== 'downloadFile') return null;
    if (n <= 8) return refusal('ProviderUnavailable', 503);
    return n === 9 ? refusal('ProviderContract', 200) : null;
  };
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', failure: null });
  expect(batch.callsOf('collect')).toBe(10);
});

test('an answer that never fits its shape is given up after a few attempts in a row', async () => {
  const batch = await env.batch('never-fits');
  batch.provider.fault = (route, n) => {
    if (route !== 'uploadFile') return null;
    return n === 4 ? refusal('ProviderUnavailable', 503) : refusal('ProviderContract', 200);
  };
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'ProviderContract' } });
  expect(batch.callsOf('upload')).toBe(9);
});

test('a batch that was started for another provider address than the worker’s sends nothing', async () => {
  const batch = await env.batch('other-origin');
  await expect(batch.run({}, { longhaulFingerprint: 'f'.repeat(64) })).rejects.toMatchObject({
    cause: { type: 'FingerprintMismatch' },
  });
  expect(batch.provider.calls.size).toBe(0);
});

test.each(['getJob', 'cancelJob'] as const)(
  'a fault of the machine that outlasts all attempts of %s ends no shard',
  async (name) => {
    let left = 20;
    const batch = await env.batch(`odd-${name}`, {
      input: { deadline: '1h' },
      provider: { course: () => ({ durationMs: (name === 'getJob' ? 30 : 300) * MINUTE }) },
      activities: (own) => ({
        [name]: (input: { jobId: string }) => {
          if (left-- > 0) throw new RangeError('odd');
          return own[name](input);
        },
      }),
    });
    expect(await batch.run()).toMatchObject({
      outcome: name === 'getJob' ? 'succeeded' : 'partial',
      jobs: 1,
    });
    expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([name === 'getJob' ? 0 : 1]);
    expect(left).toBeLessThan(0);
  },
);
