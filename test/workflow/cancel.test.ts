import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { cancelled, heartbeat } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ProviderError } from '../../providers/errors.js';
import { batchProgressQuery, cancelUpdate } from '../../workflows/messages.js';
import type { BatchUnderTest } from '../support/batch-under-test.js';
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

/** Runs `act` when the batch looks at its job for the n-th time. */
function atPoll(batch: BatchUnderTest, n: number, act: () => Promise<unknown>): void {
  batch.onBefore('getJob', async (call) => {
    if (call.n === n) await batch.during(call, act);
  });
}

const WAYS: { readonly [way: string]: (batch: BatchUnderTest) => Promise<unknown> } = {
  signal: (batch) => batch.handle.signal('cancel', { mode: 'keep', reason: 'enough' }),
  update: (batch) => batch.handle.executeUpdate(cancelUpdate, { args: [{ mode: 'keep' }] }),
};

test.each(Object.keys(WAYS))(
  'a cancel by %s keeps what was answered and ends the batch as completed',
  async (way) => {
    const batch = await env.batch(`cancel-${way}`, { rows: 10, input: eachMinute, provider: halfAnHour });
    atPoll(batch, 10, async () => WAYS[way]?.(batch));
    const summary = await batch.run();
    expect(summary.outcome).toBe('cancelled');
    expect((await batch.handle.describe()).status.name).toBe('COMPLETED');
    expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
    const { rows } = await batch.manifest();
    expect(rows.succeeded).toBeGreaterThan(0);
    expect(rows.succeeded + rows.cancelled).toBe(10);
    const words = await batch.words();
    expect(words.filter((word) => word === 'ok')).toHaveLength(rows.succeeded);
  },
);

test("Temporal's own cancel request does the same and ends the batch as canceled, its summary in the memo", async () => {
  const batch = await env.batch('cancel-request', { rows: 10, input: eachMinute, provider: halfAnHour });
  atPoll(batch, 10, () => batch.handle.cancel());
  const end = batch.run();
  await expect(end).rejects.toThrow(WorkflowFailedError);
  await expect(end).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
  const { status, memo } = await batch.handle.describe();
  expect(status.name).toBe('CANCELLED');
  expect(memo?.['longhaulSummary']).toMatchObject({ outcome: 'cancelled', batchId: 'cancel-request' });
  const { rows } = await batch.manifest();
  expect(rows.succeeded).toBeGreaterThan(0);
  expect(rows.succeeded + rows.cancelled).toBe(10);
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
});

test('a discarding cancel asks once, waits for nothing and collects nothing', async () => {
  const batch = await env.batch('discard', {
    rows: 10,
    input: eachMinute,
    provider: { course: () => ({ durationMs: 30 * MINUTE, cancelMs: 5 * MINUTE }) },
  });
  atPoll(batch, 10, () => batch.handle.signal('cancel', { mode: 'discard' }));
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'cancelled', rows: { cancelled: 10 } });
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
  expect(batch.callsOf('collect')).toBe(0);
  expect(await batch.manifest()).toMatchObject({ jobs: [{ status: 'CANCELLATION_REQUESTED' }] });
});

test('a second cancel turns keep into discard', async () => {
  const batch = await env.batch('keep-then-discard', {
    provider: { course: () => ({ durationMs: 30 * MINUTE, cancelMs: 10 * MINUTE }) },
  });
  atPoll(batch, 5, () => batch.handle.signal('cancel', { mode: 'keep' }));
  let cancelledAt = 0;
  batch.onAfter('cancelJob', async () => {
    cancelledAt = batch.callsOf('getJob');
  });
  atPoll(batch, 8, () => batch.handle.signal('cancel', { mode: 'discard' }));
  const summary = await batch.run();
  expect(summary.outcome).toBe('cancelled');
  expect(cancelledAt).toBe(5);
  expect(batch.callsOf('getJob')).toBe(8);
  expect(batch.callsOf('collect')).toBe(0);
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
});

test('a second cancel never turns discard into keep', async () => {
  const batch = await env.batch('discard-then-keep', { provider: halfAnHour });
  atPoll(batch, 5, async () => {
    await batch.handle.signal('cancel', { mode: 'discard' });
    await batch.handle.signal('cancel', { mode: 'keep' });
  });
  expect((await batch.run()).outcome).toBe('cancelled');
  expect(batch.callsOf('collect')).toBe(0);
});

test('a batch cancelled before its plan exists has no rows and no jobs', async () => {
  const batch = await env.batch('cancel-early');
  batch.onBefore('prepare', async (call) => {
    await batch.during(call, () => batch.handle.signal('cancel', {}));
    heartbeat();
    await cancelled();
  });
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'cancelled', jobs: 0, rows: { total: 0 } });
  expect(await batch.manifest()).toMatchObject({
    provider: null,
    input: { uri: batch.input.input.uri, rows: null, sha256: null },
    results: null,
    generation: 1,
  });
  expect(batch.provider.calls.size).toBe(0);
});

test('a cancel that comes when everything is answered changes nothing', async () => {
  const batch = await env.batch('cancel-late');
  batch.onBefore('assemble', () => batch.handle.signal('cancel', {}));
  expect((await batch.run()).outcome).toBe('succeeded');
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([0]);
});

test('a job that ends by itself while its cancel is on the way is collected', async () => {
  const batch = await env.batch('cancel-race', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 30 * MINUTE, cancelMs: 60 * MINUTE }) },
    cancelWaitMs: 60 * MINUTE,
  });
  atPoll(batch, 5, () => batch.handle.signal('cancel', {}));
  expect((await batch.run()).outcome).toBe('succeeded');
  expect(await batch.words()).toEqual(['ok', 'ok', 'ok', 'ok']);
});

test('a cancel with a revoked key asks now and then, and gives up when its patience is over', async () => {
  const batch = await env.batch('cancel-revoked', { provider: halfAnHour });
  atPoll(batch, 5, async () => {
    const error = new ProviderError('ProviderAuth', 'the key was refused', {
      status: 401,
      effect: 'refused',
    });
    batch.provider.fault = () => ({ when: 'before', error });
    await batch.handle.signal('cancel', {});
  });
  const summary = await batch.run();
  expect(summary.outcome).toBe('cancelled');
  expect(batch.provider.callsOf('cancelJob')).toBeGreaterThan(5);
  expect(batch.provider.callsOf('cancelJob')).toBeLessThan(120);
  expect((await batch.manifest()).jobs).toMatchObject([{ jobId: 'job-1', status: 'RUNNING' }]);
});

test('a cancel that the provider refuses at first is asked for again', async () => {
  const batch = await env.batch('cancel-refused', { provider: halfAnHour });
  batch.provider.fault = (route, n) =>
    route === 'cancelJob' && n <= 3
      ? {
          when: 'before',
          error: new ProviderError('ProviderRejected', 'not now', { status: 400, effect: 'refused' }),
        }
      : null;
  atPoll(batch, 5, () => batch.handle.signal('cancel', {}));
  expect((await batch.run()).outcome).toBe('cancelled');
  expect(batch.provider.callsOf('cancelJob')).toBe(4);
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
  expect(batch.callsOf('collect')).toBe(1);
});

test('an update with a wrong argument is refused and changes nothing', async () => {
  const batch = await env.batch('cancel-wrong');
  let refused: unknown;
  atPoll(batch, 2, async () => {
    const before = await batch.eventsOf(batch.handle);
    refused = await batch.handle
      .executeUpdate<void, [unknown]>('cancel', { args: [{ mode: 'perhaps' }] })
      .catch((error: unknown) => error);
    expect(await batch.eventsOf(batch.handle)).toBe(before);
  });
  expect((await batch.run()).outcome).toBe('succeeded');
  expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(refused).toMatchObject({ cause: { type: 'InvalidInput', message: 'mode is "keep" or "discard"' } });
});

test.each([
  ['its job was cancelled', 'keep'],
  ['its job was left', 'discard'],
] as const)('a second job of one key is cancelled and listed when %s', async (_when, mode) => {
  const batch = await env.batch(`duplicate-${mode}`, { input: eachMinute, provider: halfAnHour });
  batch.onAfter('createJob', () => batch.provider.duplicate('job-1').then(() => undefined));
  atPoll(batch, 3, () => batch.handle.signal('cancel', { mode }));
  expect((await batch.run()).outcome).toBe('cancelled');
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1, 1]);
  const { jobs } = await batch.manifest();
  expect(jobs.map(({ jobId, duplicate }) => ({ jobId, duplicate }))).toEqual([
    { jobId: 'job-1', duplicate: undefined },
    { jobId: 'job-2', duplicate: true },
  ]);
});

test('neither the deadline nor a keep bounds the download of answers that were paid for; a discard ends it', async () => {
  const batch = await env.batch('download-fails', { input: { ...eachMinute, deadline: '10m' } });
  batch.provider.fault = (route) => (route === 'downloadFile' ? refusal('ProviderUnavailable', 503) : null);
  const handle = await batch.start();
  await env.server.sleep('20m');
  expect((await handle.query(batchProgressQuery)).phase).toBe('running');
  await handle.signal('cancel', { mode: 'keep' });
  await env.server.sleep('40m');
  expect((await handle.query(batchProgressQuery)).phase).toBe('cancelling');
  const attempts = batch.callsOf('collect');
  await env.server.sleep('10m');
  expect(batch.callsOf('collect')).toBeGreaterThan(attempts + 5);
  await handle.signal('cancel', { mode: 'discard' });
  expect(await handle.result()).toMatchObject({ outcome: 'cancelled', rows: { cancelled: 4 } });
  expect(await batch.manifest()).toMatchObject({ jobs: [{ jobId: 'job-1', status: 'SUCCESS' }] });
});

test.each([
  ['a first cancel', null, { mode: 'keep' }, 'succeeded'],
  ['a keep that becomes discard', { mode: 'keep' }, { mode: 'discard' }, 'cancelled'],
] as const)(
  '%s ends a clean-up that the provider never answers, and the batch has the outcome that it had',
  async (_what, earlier, request, outcome) => {
    const batch = await env.batch(`cleanup-${outcome}`, {
      input: { ...eachMinute, cleanup: 'all' },
      provider: halfAnHour,
    });
    if (earlier !== null) atPoll(batch, 5, () => batch.handle.signal('cancel', earlier));
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    batch.onBefore('cleanup', async (call) => {
      await batch.during(call, () => batch.handle.signal('cancel', request));
      await answered;
    });
    expect((await batch.run()).outcome).toBe(outcome);
    expect(batch.callsOf('cleanup')).toBe(1);
    expect(batch.provider.callsOf('deleteFile')).toBe(0);
    expect((await batch.manifest()).outcome).toBe(outcome);
    answer();
  },
);
