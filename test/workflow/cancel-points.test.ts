import { cancelled, heartbeat } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, expect, inject, test } from 'vitest';
import type { ActivityName } from '../../activities/contract.js';
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
 * rounds, each with polls between two looks at its job. How the provider and the batch stood when the cancel was sent
 * decides what must come of it, so that a cancel which nobody heeds is found out.
 */

const env = await WorkflowEnv.start(inject('workflowBundlePath'));

afterAll(() => env.close());

function newBatch(batchId: string): Promise<BatchUnderTest> {
  return env.batch(batchId, {
    // All intervals are equal, so that a timer runs at the same time in each run.
    input: { pollMin: '1m', pollMax: '1m', cleanup: 'all' },
    provider: {
      course: () => ({
        // Neither at a poll nor in the middle between two: what runs when a cancel is sent is no matter of luck.
        durationMs: 100_000,
        answer: (id, round) => (id === 'row-1' && round === 1 ? 503 : 'ok'),
      }),
    },
  });
}

async function pointsOfUndisturbedRun(): Promise<AwaitPoint[]> {
  const batch = await newBatch('undisturbed');
  const { outcome } = await batch.run();
  if (outcome !== 'succeeded') throw new Error(`the undisturbed run ended as ${outcome}`);
  for await (const { id } of batch.provider.listFiles()) throw new Error(`${id} was left at the provider`);
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
    'cleanup',
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
  const send = async () =>
    mode === 'keep' && way !== undefined ? way(batch) : batch.handle.signal('cancel', { mode });
  const sent = await runCancelledAt(batch, { point, mode, n }, send);

  const { outcome, rows, jobs } = await batch.manifest();
  expect(outcome).toBe(isUndone(sent, mode) ? 'cancelled' : 'succeeded');
  expect(rows.total).toBe(sent.prepared ? 4 : 0);
  const now = await env.server.currentTimeMs();
  for (const job of batch.provider.jobs) {
    if (mode === 'keep') expect(isTerminal(job.phaseAt(now))).toBe(true);
    // Asked to end exactly once, unless it had ended by itself.
    expect(job.cancels).toBe(sent.ended.has(job.id) ? 0 : 1);
  }
  expect(jobs.map(({ jobId }) => jobId)).toEqual(batch.provider.jobs.map(({ id }) => id));
  const isOnTheWay = describePoint(point).startsWith('before createJob') || point.kind === 'child';
  expect(batch.provider.jobs.length - sent.jobs).toBeLessThanOrEqual(isOnTheWay ? 1 : 0);
  if (sent.prepared) expect(await answered(batch)).toEqual(answersDue(batch, { sent, mode, now }));
});

/** How the provider and the batch stood when the cancel was sent. */
interface Standing {
  readonly prepared: boolean;
  readonly jobs: number;
  readonly ended: ReadonlySet<string>;
  readonly collected: number;
}

/** Whether the cancel took something from the batch: `keep` still collects what had ended, `discard` nothing more. */
function isUndone({ ended, collected }: Standing, mode: CancelMode): boolean {
  return (mode === 'keep' ? ended.size : collected) < 2;
}

/** The rows that the results must have answers for, and no others. */
function answersDue(
  { provider }: BatchUnderTest,
  { sent, mode, now }: { readonly sent: Standing; readonly mode: CancelMode; readonly now: number },
): string[] {
  const kept = mode === 'keep' ? provider.jobs : provider.jobs.slice(0, sent.collected);
  const ok = kept.flatMap((job) => job.answeredAt(now).filter(({ answer }) => answer === 'ok'));
  return ok.map(({ customId }) => customId).toSorted();
}

async function answered(batch: BatchUnderTest): Promise<string[]> {
  const words = await batch.words();
  return words.flatMap((word, row) => (word === 'ok' ? [`row-${row}`] : []));
}

async function runCancelledAt(
  batch: BatchUnderTest,
  { point, mode }: Case,
  send: () => Promise<unknown>,
): Promise<Standing> {
  const done = { prepare: 0, collect: 0 };
  batch.onAfter('prepare', () => void (done.prepare += 1));
  batch.onAfter('collect', () => void (done.collect += 1));
  const sent: Standing[] = [];
  const cancel = async () => {
    const now = await env.server.currentTimeMs();
    const ended = batch.provider.jobs.filter((job) => isTerminal(job.phaseAt(now)));
    sent.push({
      prepared: done.prepare > 0,
      jobs: batch.provider.jobs.length,
      ended: new Set(ended.map(({ id }) => id)),
      collected: done.collect,
    });
    await send();
  };
  if (point.kind === 'activity') {
    const hook = point.when === 'before' ? batch.onBefore.bind(batch) : batch.onAfter.bind(batch);
    hook(point.name, async (call) => {
      if (call.n !== point.n) return;
      await batch.during(call, cancel);
      if (point.when === 'before' && isCutShort(point.name, mode)) {
        heartbeat();
        await cancelled();
      }
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
  const [standing] = sent;
  if (standing === undefined || sent.length > 1) throw new Error(`${sent.length} cancels were sent`);
  return standing;
}

/** Activities that end well if they can although they are cancelled; here they can't, so that it shows. */
function isCutShort(name: ActivityName, mode: CancelMode): boolean {
  return name === 'prepare' || (name === 'collect' && mode === 'discard');
}

/** A cancel request ends the workflow as canceled; what else ends it otherwise is a failure of the test. */
async function endOf(result: Promise<unknown>): Promise<void> {
  try {
    await result;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || error.cause?.name !== 'CancelledFailure') throw error;
  }
}
