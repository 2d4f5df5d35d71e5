import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { batchProgressQuery } from '../../workflows/messages.js';
import type { BatchUnderTest } from '../support/batch-under-test.js';
import { bundleChanged } from '../support/changed-workflows.js';
import { refusal } from '../support/provider-errors.js';
import { WorkflowEnv } from '../support/workflow-env.js';

const MINUTE = 60_000;

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.start(inject('workflowBundlePath'));
});

afterAll(() => env.close());

/** What the shards told their batch of their waits. */
async function phasesHeard(batch: BatchUnderTest): Promise<readonly string[]> {
  const { events } = await batch.handle.fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    if (signal?.signalName !== 'shardPhase') return [];
    const [message] = signal.input?.payloads ?? [];
    return [shardPhaseOf(defaultPayloadConverter.fromPayload(message ?? {}))];
  });
}

function shardPhaseOf(message: unknown): string {
  return z.object({ phase: z.string() }).parse(message).phase;
}

test('a key that is revoked while a job runs is waited for until resume', async () => {
  const batch = await env.batch('auth', { provider: { course: () => ({ durationMs: 10 * MINUTE }) } });
  const revoked = (route: string) => (route === 'getJob' ? refusal('ProviderAuth', 401) : null);
  batch.onBefore('getJob', ({ n }) => {
    if (n === 2) batch.provider.fault = revoked;
  });
  const handle = await batch.start();
  await env.server.sleep('5m');
  await expect.poll(async () => (await handle.query(batchProgressQuery)).phase).toBe('waiting-for-auth');
  expect((await handle.describe()).searchAttributes['LonghaulPhase']).toEqual(['waiting-for-auth']);
  expect(batch.callsOf('getJob')).toBe(2);
  batch.provider.fault = () => null;
  await handle.signal('resume');
  await expect.poll(async () => (await handle.query(batchProgressQuery)).phase).toBe('running');
  expect((await handle.result()).outcome).toBe('succeeded');
});

test('without resume the wait for a key ends at the deadline', async () => {
  const batch = await env.batch('auth-deadline', {
    input: { deadline: '1h' },
    provider: { course: () => ({ durationMs: 10 * MINUTE }) },
  });
  batch.onBefore('getJob', ({ n }) => {
    if (n === 2) batch.provider.fault = () => refusal('ProviderForbidden', 403);
  });
  const from = await env.server.currentTimeMs();
  const summary = await batch.run();
  expect(summary.rows).toMatchObject({ expired: 4 });
  const { jobs } = await batch.manifest();
  expect(jobs).toMatchObject([{ status: 'RUNNING' }]);
  expect((await env.server.currentTimeMs()) - from).toBeLessThan(90 * MINUTE);
  // Nothing is lost by it: once a key works, what the job answered meanwhile is collected, and not bought again.
  batch.provider.fault = () => null;
  const again = await batch.run({ retry: true });
  expect(again).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  expect(batch.provider.callsOf('createJob')).toBe(1);
});

test('a refused quota is tried again after a minute, then after two, without using up rounds', async () => {
  const batch = await env.batch('quota', { input: { maxRounds: 1 } });
  const sentAt: number[] = [];
  batch.onBefore('createJob', async () => void sentAt.push(await env.server.currentTimeMs()));
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n <= 3 ? refusal('ProviderQuota', 429) : null;
  expect((await batch.run()).outcome).toBe('succeeded');
  const gaps = sentAt.slice(1).map((at, n) => Math.round((at - (sentAt[n] ?? 0)) / MINUTE));
  expect(gaps).toEqual([1, 2, 4]);
  // A batch of hundreds of shards hears of each wait twice, however often it is refused again.
  expect(await phasesHeard(batch)).toEqual(['waiting-for-quota', 'running']);
});

test('a shard that continues as new in a wait leaves its batch with no wait that is over', async () => {
  const batch = await env.batch('quota-continued', {
    input: { pollMin: '1m', pollMax: '1m', maxHistory: 30 },
    provider: { course: () => ({ durationMs: 10 * MINUTE }) },
  });
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n <= 4 ? refusal('ProviderQuota', 429) : null;
  expect((await batch.run()).outcome).toBe('succeeded');
  expect((await batch.histories()).filter(({ workflow }) => workflow === 'runShard').length).toBeGreaterThan(
    1,
  );
  const heard = await phasesHeard(batch);
  expect(heard.at(-1)).toBe('running');
  expect(heard.length).toBeGreaterThan(2);
});

test('resume ends the wait for quota at once', async () => {
  const batch = await env.batch('quota-resume');
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n <= 6 ? refusal('ProviderQuota', 429) : null;
  const handle = await batch.start();
  await env.server.sleep('2m');
  await expect.poll(async () => (await handle.query(batchProgressQuery)).phase).toBe('waiting-for-quota');
  const before = batch.callsOf('createJob');
  batch.provider.fault = () => null;
  await handle.signal('resume');
  await expect.poll(() => batch.callsOf('createJob')).toBe(before + 1);
  expect((await handle.result()).outcome).toBe('succeeded');
});

test('jobs that fail for want of quota are repeated more and more slowly, without using up rounds', async () => {
  const batch = await env.batch('quota-in-job', {
    input: { maxRounds: 1 },
    provider: {
      course: (n) => (n <= 3 ? { end: 'failed', durationMs: 1_000, errors: ['Exceeded your quota'] } : {}),
    },
  });
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'succeeded', jobs: 4, failure: null });
  const createdAt = batch.provider.jobs.map((job) => job.createdAt);
  const gaps = createdAt.slice(1).map((at, n) => Math.round((at - (createdAt[n] ?? 0)) / MINUTE));
  expect(gaps).toEqual([1, 2, 4]);
});

test('a quota that was short once is no failure of a batch that ends well but for one row', async () => {
  const batch = await env.batch('quota-then-partial', {
    provider: {
      course: (n) =>
        n === 1
          ? { end: 'failed', durationMs: 1_000, errors: ['quota'] }
          : { answer: (id) => (id === 'row-1' ? 404 : 'ok') },
    },
  });
  expect(await batch.run()).toMatchObject({ outcome: 'partial', failure: null, rows: { succeeded: 3 } });
});

test('402 before the first job fails the batch', async () => {
  const batch = await env.batch('billing-off');
  batch.provider.fault = (route) => (route === 'createJob' ? refusal('ProviderQuota', 402) : null);
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'ProviderQuota' } });
  expect(await batch.manifest()).toMatchObject({ outcome: 'failed', failure: { type: 'ProviderQuota' } });
});

test('a quota that is short at the first look is waited for, as at a create', async () => {
  const batch = await env.batch('quota-at-first', {
    provider: {
      fault: (route, n) => (route === 'checkAccount' && n <= 2 ? refusal('ProviderQuota', 429) : null),
    },
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', jobs: 1, failure: null });
  expect(batch.callsOf('checkAccount')).toBe(3);
});

test('402 in a batch that has a job is waited out', async () => {
  const batch = await env.batch('billing-pause', { rows: 2, input: { shardRows: 1, maxJobs: 1 } });
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n === 2 ? refusal('ProviderQuota', 402) : null;
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', jobs: 2 });
});

test('a key that is revoked between two shards is waited for at whatever comes next', async () => {
  const batch = await env.batch('auth-upload', { rows: 2, input: { shardRows: 1, maxJobs: 1 } });
  batch.provider.fault = (route, n) =>
    route === 'uploadFile' && n === 2 ? refusal('ProviderAuth', 401) : null;
  const handle = await batch.start();
  await env.server.sleep('30m');
  await expect.poll(async () => (await handle.query(batchProgressQuery)).phase).toBe('waiting-for-auth');
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 2 });
});

test('a batch that has a job waits for a better key at its next start too, and gives up nothing', async () => {
  const batch = await env.batch('auth-again', {
    rows: 10,
    input: { pollMin: '1m', pollMax: '1m' },
    provider: { course: (n) => ({ durationMs: n === 1 ? 30 * MINUTE : MINUTE }) },
  });
  batch.onBefore('getJob', async (call) => {
    if (call.n === 10) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  const first = await batch.run();
  expect(first.outcome).toBe('cancelled');
  expect(first.rows.succeeded).toBeGreaterThan(0);

  batch.provider.fault = () => refusal('ProviderAuth', 401);
  const handle = await batch.start();
  await env.server.sleep('30m');
  await expect.poll(async () => (await handle.query(batchProgressQuery)).phase).toBe('waiting-for-auth');
  expect((await handle.describe()).searchAttributes['LonghaulPhase']).toEqual(['waiting-for-auth']);
  batch.provider.fault = () => null;
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 2, failure: null });
});

test('a wait for a key before the first shard ends by a cancel, and keeps what was answered', async () => {
  const batch = await env.batch('auth-again-cancel', {
    rows: 10,
    input: { pollMin: '1m', pollMax: '1m' },
    provider: { course: () => ({ durationMs: 30 * MINUTE }) },
  });
  batch.onBefore('getJob', async (call) => {
    if (call.n === 10) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  const first = await batch.run();
  batch.provider.fault = () => refusal('ProviderAuth', 401);
  const handle = await batch.start();
  await env.server.sleep('30m');
  await expect.poll(async () => (await handle.query(batchProgressQuery)).phase).toBe('waiting-for-auth');
  await handle.signal('cancel', {});
  expect(await handle.result()).toMatchObject({ outcome: 'cancelled', rows: first.rows });
});

test('a resume that comes while the wait is being announced ends it', async () => {
  // A version that is slow to tell its batch gives the test an hour to speak in.
  const file = 'workflows/shard-waits.ts';
  const slow = await bundleChanged(
    [
      { file, from: 'import { getExternalWorkflowHandle,', to: 'import { sleep, getExternalWorkflowHandle,' },
      { file, from: '    this.phase = phase;\n', to: "    this.phase = phase;\n    await sleep('1h');\n" },
    ],
    join(env.folder, 'slow-to-announce.js'),
  );
  await env.startWorkers(slow);
  const batch = await env.batch('resume-early', {
    provider: {
      course: () => ({ durationMs: 10 * MINUTE }),
      fault: (route, n) => (route === 'getJob' && n === 1 ? refusal('ProviderAuth', 401) : null),
    },
  });
  const handle = await batch.start();
  await expect
    .poll(async () => {
      await env.server.sleep('1m');
      return (await batch.shardProgress(0))?.phase;
    })
    .toBe('waiting-for-auth');
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 1 });
});
