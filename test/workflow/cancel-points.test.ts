import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, expect, inject, test } from 'vitest';
import type { CancelMode } from '../../batch/control.js';
import { isTerminal } from '../../batch/job-phase.js';
import { cancelUpdate } from '../../workflows/messages.js';
import { awaitPointsOf, describePoint } from '../support/await-points.js';
import type { AwaitPoint } from '../support/await-points.js';
import type { BatchUnderTest } from '../support/batch-under-test.js';
import { until } from '../support/until.js';
import { WorkflowEnv } from '../support/workflow-env.js';

/*
 * A batch is cancelled at every point at which it waits. The points are the commands of an undisturbed run: two
 * rounds, each with polls between two looks at its job.
 */

const env = await WorkflowEnv.start(inject('workflowBundlePath'));

afterAll(() => env.close());

function newBatch(batchId: string): Promise<BatchUnderTest> {
  return env.batch(batchId, {
    // All intervals are equal, so that a timer runs at the same time in each run.
    input: { pollMin: '1m', pollMax: '1m' },
    provider: {
      course: () => ({
        durationMs: 90_000,
        answer: (id, round) => (id === 'row-1' && round === 1 ? 503 : 'ok'),
      }),
    },
  });
}

async function pointsOfUndisturbedRun(): Promise<AwaitPoint[]> {
  const batch = await newBatch('undisturbed');
  const { outcome } = await batch.run();
  if (outcome !== 'succeeded') throw new Error(`the undisturbed run ended as ${outcome}`);
  const { startTime } = await batch.handle.describe();
  const points = await Promise.all(
    [batch.handle, batch.shard(0)].map((handle) => awaitPointsOf(handle, startTime.getTime())),
  );
  return points.flat();
}

const WAYS: readonly ((batch: BatchUnderTest) => Promise<unknown>)[] = [
  ({ handle }) => handle.signal('cancel', { mode: 'keep' }),
  ({ handle }) => handle.executeUpdate(cancelUpdate, { args: [{ mode: 'keep' }] }),
  ({ handle }) => handle.cancel(),
];

interface Case {
  readonly point: AwaitPoint;
  readonly mode: CancelMode;
  readonly n: number;
}

const cases: readonly Case[] = (await pointsOfUndisturbedRun()).flatMap((point, n) => [
  { point, mode: 'keep', n },
  { point, mode: 'discard', n },
]);

test('the undisturbed run waits for everything that a batch can wait for', () => {
  const kinds = new Set(cases.map(({ point }) => (point.kind === 'activity' ? point.name : point.kind)));
  expect([...kinds].toSorted()).toEqual([
    'assemble',
    'beginRound',
    'checkAccount',
    'child',
    'collect',
    'createJob',
    'findJob',
    'getJob',
    'prepare',
    'timer',
    'upload',
  ]);
  expect(cases.length).toBeGreaterThan(80);
});

const titled = cases.map((each) => [`${each.mode} ${describePoint(each.point)}`, each] as const);

test.each(titled)('a cancel asked for with %s', async (_title, { point, mode, n }) => {
  const batch = await newBatch(`point-${n}-${mode}`);
  const way = WAYS[n % WAYS.length];
  const cancel = async () =>
    mode === 'keep' && way !== undefined ? way(batch) : batch.handle.signal('cancel', { mode });
  await runCancelledAt(batch, point, cancel);

  const { outcome, rows, jobs } = await batch.manifest();
  expect(outcome).toBe(rows.total > 0 && rows.succeeded === rows.total ? 'succeeded' : 'cancelled');
  expect([0, 4]).toContain(rows.total);
  const now = await env.server.currentTimeMs();
  for (const job of batch.provider.jobs) {
    const phase = job.phaseAt(now);
    if (mode === 'keep') expect(isTerminal(phase)).toBe(true);
    // Asked to end exactly once, unless it ended by itself before.
    expect(job.cancels).toBeLessThanOrEqual(1);
    if (phase !== 'succeeded') expect(job.cancels).toBe(1);
  }
  expect(jobs.map(({ jobId }) => jobId)).toEqual(batch.provider.jobs.map(({ id }) => id));
  expect(batch.provider.jobs.length).toBeLessThanOrEqual(2);
  if (outcome === 'succeeded') expect(await batch.words()).toEqual(['ok', 'ok', 'ok', 'ok']);
});

async function runCancelledAt(
  batch: BatchUnderTest,
  point: AwaitPoint,
  cancel: () => Promise<unknown>,
): Promise<void> {
  if (point.kind === 'activity') {
    const hook = point.when === 'before' ? batch.onBefore.bind(batch) : batch.onAfter.bind(batch);
    hook(point.name, async (call) => {
      if (call.n === point.n) await batch.during(call, cancel);
    });
  }
  const handle = await batch.start();
  if (point.kind === 'timer') {
    await env.server.sleep(point.at);
    await cancel();
  }
  if (point.kind === 'child') {
    await until('the shard is being started', async () => (await batch.shards()) >= point.n);
    await cancel();
  }
  await endOf(handle.result());
}

/** A cancel request ends the workflow as canceled; what else ends it otherwise is a failure of the test. */
async function endOf(result: Promise<unknown>): Promise<void> {
  try {
    await result;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || error.cause?.name !== 'CancelledFailure') throw error;
  }
}
