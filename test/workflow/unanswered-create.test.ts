import { activityInfo, cancelled, heartbeat } from '@temporalio/activity';
import { expect, test } from 'vitest';
import type { Activities, CreateJobInput } from '../../activities/contract.js';
import { batchProgressQuery } from '../../workflows/messages.js';
import { attemptOf } from '../support/activity-env.js';
import type { BatchUnderTest } from '../support/batch-under-test.js';
import { lostAnswer, refusal } from '../support/provider-errors.js';
import { until } from '../support/until.js';
import { eachMinute, MINUTE, timeSkippingEnv } from '../support/time-skipping-env.js';

const env = timeSkippingEnv();

/** The answer to the nth create is lost, then `lists` looks for its job fail as nothing that time mends. */
function loseCreate(batch: BatchUnderTest, nth: number, lists: number): void {
  let broken = 0;
  batch.provider.fault = (route, n) => {
    if (route === 'createJob' && n === nth) return lostAnswer();
    const isLooked = route === 'listJobs' && batch.provider.jobs.length >= nth && broken < lists;
    if (!isLooked) return null;
    broken += 1;
    return refusal('ProviderContract', 200);
  };
}

test('a job whose create was not answered is looked for until the list can be read', async () => {
  const batch = await env().batch('unanswered-list', {
    input: { ...eachMinute, shardRows: 2, maxJobs: 1 },
    provider: { course: (n) => ({ durationMs: n === 2 ? 60 * MINUTE : MINUTE }) },
  });
  loseCreate(batch, 2, 7);
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  expect(batch.provider.jobs).toHaveLength(2);
});

test('such a job is found and cancelled though the batch is cancelled while the list can’t be read', async () => {
  const batch = await env().batch('unanswered-cancel', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 60 * MINUTE }) },
  });
  loseCreate(batch, 1, 7);
  const handle = await batch.start();
  await until('the create took effect', async () => batch.provider.jobs.length === 1);
  await handle.signal('cancel', { mode: 'keep' });
  expect((await handle.result()).outcome).toBe('cancelled');
  expect(batch.provider.jobs.map(({ cancels }) => cancels)).toEqual([1]);
  expect((await batch.manifest()).jobs.map(({ jobId }) => jobId)).toEqual(['job-1']);
});

test('a look for such a job that is given up is said, and the next run goes on with it', async () => {
  const batch = await env().batch('unanswered-given-up', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 60 * MINUTE }) },
  });
  loseCreate(batch, 1, Number.POSITIVE_INFINITY);
  const handle = await batch.start();
  await until('the create took effect', async () => batch.provider.jobs.length === 1);
  await handle.signal('cancel', { mode: 'keep' });
  expect(await handle.result()).toMatchObject({
    outcome: 'cancelled',
    failure: { type: 'ProviderAmbiguous', message: expect.stringContaining('was given up') },
  });
  batch.provider.fault = () => null;
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded' });
  expect(batch.provider.jobs).toHaveLength(1);
});

test('a key that stops working before such a job was found is waited for, and the job is used', async () => {
  const batch = await env().batch('unanswered-key', { input: eachMinute });
  batch.provider.fault = (route) => {
    if (batch.provider.jobs.length > 0) return refusal('ProviderAuth', 401);
    return route === 'createJob' ? lostAnswer() : null;
  };
  const handle = await batch.start();
  await expect
    .poll(async () => (await handle.query(batchProgressQuery)).phase, { timeout: 60_000 })
    .toBe('waiting-for-auth');
  batch.provider.fault = () => null;
  await handle.signal('resume');
  expect((await handle.result()).outcome).toBe('succeeded');
  expect(batch.provider.jobs).toHaveLength(1);
});

test('a list that can’t be read ends a batch that has sent no create', async () => {
  const batch = await env().batch('unanswered-none', { input: eachMinute });
  batch.provider.fault = (route) => (route === 'listJobs' ? refusal('ProviderContract', 200) : null);
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'ProviderContract' } });
});

/* The create's first attempt is on a worker that is suspended (SIGSTOP): Temporal gives it up, and it lives on. */
test.each([
  ['a cancel', false],
  ['a pause and a cancel', true],
] as const)('after %s a create that was left on a suspended worker sends nothing', async (_, pauses) => {
  let own: Activities | undefined;
  const left: { input: CreateJobInput; workflowId: string }[] = [];
  const batch = await env().batch(`unanswered-left-${String(pauses)}`, {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 30 * MINUTE }) },
    activities: (real) => {
      own = real;
      return {
        createJob: async (input) => {
          const workflowId = activityInfo().workflowExecution?.workflowId ?? '';
          left.push({ input, workflowId });
          await batch.during({ name: 'createJob', n: 1, workflowId, input }, () =>
            pauses ? batch.handle.signal('pause') : batch.handle.signal('cancel', { mode: 'keep' }),
          );
          const beat = setInterval(() => heartbeat(), 100);
          // What the workflow sees of a heartbeat time-out after its cancel: the activity is over without a result.
          return cancelled().finally(() => clearInterval(beat));
        },
      };
    },
  });
  const handle = await batch.start();
  if (pauses) {
    await until('the create was given up and looked for', async () => batch.callsOf('findJob') >= 2);
    await handle.signal('cancel', { mode: 'keep' });
  }
  expect((await handle.result()).outcome).toBe('cancelled');
  const [first] = left;
  if (first === undefined || own === undefined) throw new Error('no create was begun');
  const { createJob } = own;
  // The worker wakes.
  await batch.started();
  const late = attemptOf({ workflowId: first.workflowId }).run(() => createJob(first.input));
  await expect(late).rejects.toThrow('creates no job any more');
  expect(batch.provider.jobs).toEqual([]);
});
