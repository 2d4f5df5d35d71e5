import { cancelled as untilCancelled, heartbeat } from '@temporalio/activity';
import type { BatchUnderTest } from './batch-under-test.js';
import { refusal } from './provider-errors.js';
import { until } from './until.js';
import type { WorkflowEnv } from './workflow-env.js';

const MINUTE = 60_000;
const eachMinute = { pollMin: '1m', pollMax: '1m' };

export type Scenario = (env: WorkflowEnv) => Promise<BatchUnderTest>;

/** Batches whose histories are kept: each takes another way through the workflows. The scenario is the batch's id. */
export const HISTORY_SCENARIOS: { readonly [name: string]: Scenario } = {
  'two-rounds': (env) =>
    ended(env, 'two-rounds', {
      input: { ...eachMinute, cleanup: 'all' },
      provider: { course: () => ({ answer: (id, round) => (id === 'row-1' && round === 1 ? 503 : 'ok') }) },
    }),
  'three-shards': (env) =>
    ended(env, 'three-shards', { rows: 6, input: { ...eachMinute, shardRows: 2, maxJobs: 2 } }),
  continued: (env) =>
    ended(env, 'continued', {
      input: { ...eachMinute, maxHistory: 60 },
      provider: { course: () => ({ durationMs: 12 * MINUTE }) },
    }),
  'cancel-keep': (env) => cancelled(env, 'cancel-keep', ({ handle }) => handle.signal('cancel', {})),
  'cancel-discard': (env) =>
    cancelled(env, 'cancel-discard', ({ handle }) => handle.signal('cancel', { mode: 'discard' })),
  'cancel-request': (env) => cancelled(env, 'cancel-request', ({ handle }) => handle.cancel()),
  'cancel-update': (env) =>
    cancelled(env, 'cancel-update', ({ handle }) => handle.executeUpdate('cancel', { args: [{}] })),
  deadline: (env) =>
    ended(env, 'deadline', {
      input: { ...eachMinute, deadline: '5m' },
      provider: { course: () => ({ durationMs: 30 * MINUTE }) },
    }),
  quota: (env) =>
    ended(env, 'quota', {
      input: eachMinute,
      provider: {
        fault: (route, n) => (route === 'createJob' && n <= 2 ? refusal('ProviderQuota', 429) : null),
      },
    }),
  'no-access': (env) => ended(env, 'no-access', { provider: { fault: () => refusal('ProviderAuth', 401) } }),
  rejected: (env) =>
    ended(env, 'rejected', {
      provider: { fault: (route) => (route === 'createJob' ? refusal('ProviderRejected', 422) : null) },
    }),
  'auth-resume': async (env) => {
    const batch = await env.batch('auth-resume', {
      input: eachMinute,
      provider: {
        fault: (route, n) => (route === 'getJob' && n === 1 ? refusal('ProviderAuth', 401) : null),
      },
    });
    const handle = await batch.start();
    await env.server.sleep('30m');
    await handle.signal('resume');
    await handle.result();
    return batch;
  },
  'pause-resume': async (env) => {
    const batch = await env.batch('pause-resume', { input: eachMinute });
    batch.onBefore('upload', (call) => batch.during(call, () => batch.handle.signal('pause')));
    const handle = await batch.start();
    await env.server.sleep('30m');
    await handle.signal('resume');
    await handle.result();
    return batch;
  },
  'account-quota': (env) =>
    ended(env, 'account-quota', {
      input: eachMinute,
      provider: {
        fault: (route, n) => (route === 'checkAccount' && n <= 2 ? refusal('ProviderQuota', 429) : null),
      },
    }),
  duplicate: async (env) => {
    const batch = await env.batch('duplicate', {
      input: eachMinute,
      provider: { course: (n) => ({ durationMs: (n === 2 ? 600 : 3) * MINUTE }) },
    });
    batch.onBefore('getJob', async ({ n }) => {
      if (n === 1) await batch.provider.duplicate('job-1');
    });
    await batch.run();
    return batch;
  },
  'poll-now': async (env) => {
    const batch = await env.batch('poll-now', {
      input: { pollMin: '10m', pollMax: '10m' },
      provider: { course: () => ({ durationMs: 15 * MINUTE }) },
    });
    const handle = await batch.start();
    const waits = async () => typeof (await batch.shardProgress(0))?.job?.nextPollAt === 'string';
    await until('the shard waits for its next poll', waits);
    await handle.signal('pollNow');
    await handle.result();
    return batch;
  },
  'cancel-early': async (env) => {
    const batch = await env.batch('cancel-early');
    cancelInPrepare(batch);
    await batch.run();
    return batch;
  },
  'cancel-continued': async (env) => {
    const batch = await env.batch('cancel-continued', {
      rows: 10,
      input: { ...eachMinute, maxHistory: 60 },
      provider: { course: () => ({ durationMs: 60 * MINUTE, cancelMs: 12 * MINUTE }) },
    });
    batch.onBefore('getJob', async (call) => {
      if (call.n === 2) await batch.during(call, () => batch.handle.signal('cancel', {}));
    });
    await batch.run();
    return batch;
  },
  'cancel-cleanup': async (env) => {
    const batch = await env.batch('cancel-cleanup', { input: { ...eachMinute, cleanup: 'all' } });
    batch.onBefore('cleanup', (call) => batch.during(call, () => batch.handle.signal('cancel', {})));
    await batch.run();
    return batch;
  },
};

/** Cancels the batch while it is being prepared, and keeps the preparation from ending well all the same. */
export function cancelInPrepare(batch: BatchUnderTest): void {
  batch.onBefore('prepare', async (call) => {
    await batch.during(call, () => batch.handle.signal('cancel', {}));
    heartbeat();
    await untilCancelled();
  });
}

async function ended(
  env: WorkflowEnv,
  batchId: string,
  options: Parameters<WorkflowEnv['batch']>[1],
): Promise<BatchUnderTest> {
  const batch = await env.batch(batchId, options);
  await (await batch.start()).result().catch(() => undefined);
  return batch;
}

async function cancelled(
  env: WorkflowEnv,
  batchId: string,
  send: (batch: BatchUnderTest) => Promise<unknown>,
): Promise<BatchUnderTest> {
  const batch = await env.batch(batchId, {
    rows: 10,
    input: eachMinute,
    provider: { course: () => ({ durationMs: 30 * MINUTE }) },
  });
  batch.onBefore('getJob', async (call) => {
    if (call.n === 10) await batch.during(call, () => send(batch));
  });
  await (await batch.start()).result().catch(() => undefined);
  return batch;
}
