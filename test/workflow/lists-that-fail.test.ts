import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import type { Activities, CreateJobInput } from '../../activities/contract.js';
import { attemptOf } from '../support/activity-env.js';
import type { BatchUnderTest } from '../support/batch-under-test.js';
import { lostAnswer, refusal } from '../support/provider-errors.js';
import { eachMinute, MINUTE, timeSkippingEnv } from '../support/time-skipping-env.js';
import { until } from '../support/until.js';
import { batchProgressQuery } from '../../workflows/messages.js';

const env = timeSkippingEnv();

/** Notes when the batch comes to its results. */
function clocked(batch: BatchUnderTest): { readonly minutes: () => number } {
  const times = { begun: 0, assembling: 0 };
  batch.onBefore('prepare', async () => {
    times.begun = await env().server.currentTimeMs();
  });
  batch.onBefore('assemble', async () => {
    times.assembling = await env().server.currentTimeMs();
  });
  return { minutes: () => (times.assembling - times.begun) / MINUTE };
}

describe('lists that fail once there is a job', () => {
  test.each([
    ['ProviderUnavailable', 503],
    ['ProviderQuota', 402],
  ] as const)('keep no answers waiting: %s', async (type, status) => {
    const batch = await env().batch(`no-list-${status}`, {
      input: { ...eachMinute, deadline: '5h' },
      provider: { course: () => ({ durationMs: 10 * MINUTE }) },
    });
    const clock = clocked(batch);
    batch.provider.fault = (route) =>
      route === 'listJobs' && batch.provider.jobs.length > 0 ? refusal(type, status) : null;
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
    expect(clock.minutes()).toBeLessThan(60);
  });

  test('don’t keep a shard open whose rows have their answers, and a duplicate is looked for before it closes', async () => {
    const batch = await env().batch('no-list-at-end', {
      input: { ...eachMinute, deadline: '5h' },
      provider: { course: () => ({ durationMs: 10 * MINUTE }) },
    });
    const clock = clocked(batch);
    // They fail when the job has ended, and work again once its answers are there.
    let isCollected = false;
    batch.onAfter('collect', async () => {
      await batch.provider.duplicate('job-1');
      isCollected = true;
    });
    batch.provider.fault = (route) =>
      route === 'listJobs' && batch.provider.jobs.length > 0 && !isCollected
        ? refusal('ProviderUnavailable', 503)
        : null;
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded' });
    expect(clock.minutes()).toBeLessThan(60);
    expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([0, 1]);
  });

  test('and a create whose answer was lost: 402 is waited out until the job is found', async () => {
    const batch = await env().batch('lost-and-402', {
      input: eachMinute,
      provider: { course: () => ({ durationMs: 30 * MINUTE }) },
    });
    let refused = 0;
    batch.provider.fault = (route, n) => {
      if (route === 'createJob' && n === 1) return lostAnswer();
      if (route !== 'listJobs' || batch.provider.jobs.length === 0 || refused >= 2) return null;
      refused += 1;
      return refusal('ProviderQuota', 402);
    };
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded' });
    expect(batch.provider.jobs).toHaveLength(1);
  });
});

test('a deadline that passes before anything was sent leaves no job to be looked for', async () => {
  const batch = await env().batch('nothing-sent', { input: { ...eachMinute, deadline: '10m' } });
  batch.provider.fault = (route) => (route === 'listJobs' ? refusal('ProviderUnavailable', 503) : null);
  expect(await batch.run()).toMatchObject({ outcome: 'partial', rows: { expired: 4 } });
  expect((await batch.manifest()).failure).toMatchObject({ type: 'DeadlineExceeded' });
});

test('a stop that has waited for an absent provider in one shard does not wait as long in each', async () => {
  const SHARDS = 6;
  const batch = await env().batch('patience-once', {
    rows: SHARDS,
    input: { ...eachMinute, shardRows: 1, maxJobs: SHARDS },
    provider: { course: () => ({ durationMs: 600 * MINUTE }) },
  });
  let run = 1;
  batch.onBefore('getJob', async () => {
    if (run === 2 || batch.provider.jobs.length < SHARDS) return;
    run = 2;
    await batch.handle.terminate('by hand');
    for (let shard = 0; shard < SHARDS; shard += 1) await batch.shard(shard).terminate('by hand');
  });
  await batch.run().catch(() => undefined);
  await env().freeTime();
  const clock = clocked(batch);
  batch.onBefore('checkAccount', async (call) => {
    batch.provider.fault = () => refusal('ProviderUnavailable', 503);
    await batch.during(call, () => batch.handle.signal('cancel', { mode: 'discard' }));
  });
  expect(await batch.run({ maxJobs: 1 })).toMatchObject({ outcome: 'cancelled' });
  expect(clock.minutes()).toBeLessThan(20);
  expect((await batch.manifest()).jobs).toHaveLength(SHARDS);
});

test('a stop that waits for a slow download does not hurry the other shards', async () => {
  const batch = await env().batch('patience-for-downloads', {
    rows: 2,
    input: { ...eachMinute, shardRows: 1, maxJobs: 2, deadline: '6d' },
    // The cancel of the second job is carried out after five minutes.
    provider: {
      course: (n) => ({ durationMs: (n === 1 ? 60_000 : 60_000_000) * MINUTE, cancelMs: 5 * MINUTE }),
    },
  });
  batch.onBefore('createJob', async ({ input }) => {
    const isSecond = JSON.stringify(input).includes('"shard":1');
    if (isSecond) await until('the first job is made', () => Promise.resolve(batch.provider.jobs.length > 0));
  });
  let run = 1;
  batch.onBefore('getJob', async () => {
    if (run === 2 || batch.provider.jobs.length < 2) return;
    run = 2;
    await batch.handle.terminate('by hand');
    for (const shard of [0, 1]) await batch.shard(shard).terminate('by hand');
  });
  await batch.run().catch(() => undefined);
  await env().freeTime();
  let cancelledAt = 0;
  batch.onBefore('checkAccount', async (call) => {
    cancelledAt = await env().server.currentTimeMs();
    await batch.during(call, () => batch.handle.signal('cancel', { mode: 'keep' }));
  });
  batch.onBefore('collect', async () => {
    const isLate = (await env().server.currentTimeMs()) - cancelledAt > 30 * MINUTE;
    batch.provider.fault = (route) =>
      route === 'downloadFile' && !isLate ? refusal('ProviderUnavailable', 503) : null;
  });
  await batch.run({ maxJobs: 1 });
  expect((await batch.manifest()).jobs.at(-1)).toMatchObject({ jobId: 'job-2', status: 'CANCELLED' });
});

describe('a job that others have cancelled, while lists fail', () => {
  test.each([
    ['a quarter of an hour', 'ProviderUnavailable', 503, 15],
    ['a moment, for want of quota', 'ProviderQuota', 402, 0],
  ] as const)('gives way to the one that they keep: %s', async (_, type, status, minutes) => {
    const batch = await env().batch(`taken-${status}`, {
      input: { ...eachMinute, deadline: '10h' },
      provider: { course: () => ({ durationMs: 120 * MINUTE }) },
    });
    let failsUntil = 0;
    const now = () => env().server.currentTimeMs();
    batch.onBefore('getJob', async (call) => {
      if (call.n !== 3) return;
      await batch.provider.duplicate('job-1');
      await batch.provider.cancelJob('job-1');
      failsUntil = (await now()) + minutes * MINUTE;
    });
    let hasFailed = false;
    batch.onBefore('findJob', async () => {
      const fails = failsUntil > 0 && ((await now()) < failsUntil || !hasFailed);
      batch.provider.fault = (route) => {
        if (route !== 'listJobs' || !fails) return null;
        hasFailed = true;
        return refusal(type, status);
      };
    });
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
    expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1, 0]);
  });
});

test('a job that others keep is gone on with when lists come at last that can be read', async () => {
  const batch = await env().batch('taken-unread', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 120 * MINUTE }) },
  });
  let pages = 0;
  batch.onBefore('getJob', async (call) => {
    if (call.n !== 3) return;
    await batch.provider.duplicate('job-1');
    await batch.provider.cancelJob('job-1');
    pages = 5;
  });
  batch.provider.fault = (route) => {
    if (route !== 'listJobs' || pages === 0) return null;
    pages -= 1;
    return refusal('ProviderContract', 200);
  };
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1, 0]);
});

test('a worker that goes while duplicates are looked for in vain fails no batch', async () => {
  const batch = await env().batch('look-and-shutdown', {
    input: { ...eachMinute, deadline: '5h' },
    provider: { course: () => ({ durationMs: 10 * MINUTE }) },
  });
  // As an attempt ends that its worker leaves, in the last of the time that the look has.
  batch.onBefore('findJob', async () => {
    if (batch.provider.jobs.length === 0) return;
    await Promise.reject(ApplicationFailure.create({ type: 'WorkerShutdown', message: 'the worker goes' }));
  });
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
});

describe('a batch that was cancelled with a key that works no longer, and a create without an answer', () => {
  async function cancelledBatch(id: string): Promise<BatchUnderTest> {
    const batch = await env().batch(id, {
      input: { ...eachMinute, deadline: '5h' },
      provider: { course: () => ({ durationMs: 60 * MINUTE }) },
    });
    batch.provider.fault = (route) => {
      if (batch.provider.jobs.length > 0) return refusal('ProviderAuth', 401);
      return route === 'createJob' ? lostAnswer() : null;
    };
    const handle = await batch.start();
    await untilPhase(handle, 'waiting-for-auth');
    // Longer than the settle time.
    await env().server.sleep('10m');
    await handle.signal('cancel', { mode: 'keep' });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
    return batch;
  }

  function untilPhase(handle: Awaited<ReturnType<BatchUnderTest['start']>>, phase: string): Promise<void> {
    return until(phase, async () => (await handle.query(batchProgressQuery)).phase === phase);
  }

  test('waits for a key in the next run, since a job may run', async () => {
    const batch = await cancelledBatch('closed-unlisted');
    const handle = await batch.start();
    await untilPhase(handle, 'waiting-for-auth');
    batch.provider.fault = () => null;
    await handle.signal('resume');
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 1 });
  });

  test('says that a job may exist when the next run is given up while lists fail', async () => {
    const batch = await cancelledBatch('closed-given-up');
    batch.provider.fault = (route) => (route === 'listJobs' ? refusal('ProviderUnavailable', 503) : null);
    const looked = batch.callsOf('findJob');
    const handle = await batch.start();
    await until('it looks', () => Promise.resolve(batch.callsOf('findJob') > looked));
    await handle.signal('cancel', { mode: 'keep' });
    expect((await handle.result()).failure).toMatchObject({ type: 'ProviderAmbiguous' });
  });
});

describe('a create that was left on a suspended worker sends nothing once its shard has ended', () => {
  /** Its worker goes on after the batch has closed, when the provider is in its right mind again. */
  async function wakeAfter(id: string, meets: (batch: BatchUnderTest) => Promise<void>) {
    let own: Activities | null = null;
    const left: { readonly input: CreateJobInput; readonly workflowId: string }[] = [];
    const batch = await env().batch(id, {
      input: eachMinute,
      activities: (real) => {
        own = real;
        return {
          // The second attempt, by another worker.
          createJob: async (input) => {
            left.push({ input, workflowId: activityInfo().workflowExecution?.workflowId ?? '' });
            await meets(batch);
            return real.createJob(input);
          },
        };
      },
    });
    await batch.run().catch(() => undefined);
    batch.provider.fault = () => null;
    await batch.started();
    const [first] = left;
    const createJob = (own as Activities | null)?.createJob;
    if (first === undefined || createJob === undefined) throw new Error('no create was begun');
    const woken = attemptOf({ workflowId: first.workflowId }).run(() => createJob(first.input));
    await expect(woken).rejects.toThrow('nothing was sent');
    return batch.provider.jobs;
  }

  test('with a refusal', async () => {
    const jobs = await wakeAfter('left-refused', async (batch) => {
      batch.provider.fault = (route) => (route === 'createJob' ? refusal('ProviderRejected', 400) : null);
      return Promise.resolve();
    });
    expect(jobs).toEqual([]);
  });

  test('by a cancel, with a key that works no longer', async () => {
    const jobs = await wakeAfter('left-401', async (batch) => {
      batch.provider.fault = (route) => (route === 'listJobs' ? refusal('ProviderAuth', 401) : null);
      const { workflowExecution } = activityInfo();
      const call = { workflowId: workflowExecution?.workflowId ?? '' };
      await batch.during({ name: 'createJob', n: 1, input: {}, ...call }, () =>
        batch.handle.signal('cancel', { mode: 'keep' }),
      );
    });
    expect(jobs).toEqual([]);
  });
});
