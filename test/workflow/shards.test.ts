import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { BatchUnderTest } from '../support/batch-under-test.js';
import { WorkflowEnv } from '../support/workflow-env.js';

const MINUTE = 60_000;

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.start(inject('workflowBundlePath'));
});

afterAll(() => env.close());

/** Runs `act` when shard 0 looks at its job for the 10th time, ten minutes after the start. */
function inShard0(batch: BatchUnderTest, act: () => Promise<unknown>): void {
  let polls = 0;
  batch.onBefore('getJob', async (call) => {
    if (call.workflowId !== batch.shard(0).workflowId) return;
    polls += 1;
    if (polls === 10) await batch.during(call, act);
  });
}

const eachMinute = { pollMin: '1m', pollMax: '1m' };

const twoShards = {
  rows: 20,
  input: { shardRows: 10, ...eachMinute },
  provider: { course: () => ({ durationMs: 30 * MINUTE }) },
};

test('a shard cancelled by hand ends with what it has; its batch goes on', async () => {
  const batch = await env.batch('shard-cancelled', twoShards);
  inShard0(batch, () => batch.shard(0).cancel());
  const summary = await batch.run();
  expect(summary).toMatchObject({ outcome: 'partial', failure: null });
  expect((await batch.shard(0).describe()).status.name).toBe('COMPLETED');
  const words = await batch.words();
  expect(new Set(words.slice(0, 10))).toEqual(new Set(['ok', 'cancelled']));
  expect(new Set(words.slice(10))).toEqual(new Set(['ok']));
});

test('a new run waits for a shard of the run before that is still open, and uses its answers', async () => {
  const batch = await env.batch('rival', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 30 * MINUTE }) },
  });
  batch.onBefore('getJob', async ({ n }) => {
    if (n !== 5) return;
    await batch.handle.terminate('by hand');
    await batch.start();
  });
  await expect(batch.run()).rejects.toThrow();
  const summary = await batch.handle.result();
  expect(batch.callsOf('prepare')).toBe(2);
  // The test server leaves a terminated parent's children alone; a real one asks them to cancel.
  expect(summary).toMatchObject({ outcome: 'succeeded', jobs: 1 });
  expect(batch.provider.jobs).toHaveLength(1);
  // Looked for less and less often: each look stays in the batch's history.
  const { events } = await batch.handle.fetchHistory();
  const looks = events?.filter((event) => event.startChildWorkflowExecutionFailedEventAttributes) ?? [];
  expect(looks.length).toBeGreaterThan(3);
  expect(looks.length).toBeLessThan(15);
});

test.each(['keep', 'discard'] as const)(
  'a new run that is cancelled (%s) at once still cancels the job that the run before left',
  async (mode) => {
    const batch = await env.batch(`left-${mode}`, {
      rows: 10,
      input: eachMinute,
      // Longer than any timer of the closed run: the server still skips to those, the run's ten years among them.
      provider: { course: () => ({ durationMs: 100 * 365 * 24 * 60 * MINUTE }) },
    });
    batch.onBefore('getJob', async ({ n }) => {
      if (n !== 10) return;
      await batch.handle.terminate('by hand');
      await batch.shard(0).terminate('by hand');
    });
    await expect(batch.run()).rejects.toThrow();
    await env.freeTime();
    batch.onBefore('checkAccount', async (call) => {
      if (call.n === 2) await batch.during(call, () => batch.handle.signal('cancel', { mode }));
    });
    const summary = await batch.run();
    expect(summary.outcome).toBe('cancelled');
    expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
    expect((await batch.manifest()).jobs).toHaveLength(1);
    expect(batch.callsOf('collect')).toBe(mode === 'keep' ? 1 : 0);
  },
);

test('a discard in a new run leaves the answers of the run before in the results', async () => {
  const batch = await env.batch('discard-again', {
    rows: 10,
    input: eachMinute,
    provider: { course: () => ({ durationMs: 30 * MINUTE }) },
  });
  batch.onBefore('getJob', async (call) => {
    if (call.n === 10) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  const first = await batch.run();
  expect(first.rows.succeeded).toBeGreaterThan(0);
  const begun = batch.callsOf('beginRound');
  batch.onBefore('beginRound', async (call) => {
    if (call.n !== begun + 1) return;
    await batch.during(call, () => batch.handle.signal('cancel', { mode: 'discard' }));
  });
  const second = await batch.run();
  expect(second).toMatchObject({ outcome: 'cancelled', rows: { succeeded: first.rows.succeeded } });
});
