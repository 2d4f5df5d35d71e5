import type { BatchUnderTest } from './batch-under-test.js';
import { cancelInPrepare } from './history-scenarios.js';
import type { Scenario } from './history-scenarios.js';
import { refusal } from './provider-errors.js';
import type { WorkflowEnv } from './workflow-env.js';

const MINUTE = 60_000;
const eachMinute = { pollMin: '1m', pollMax: '1m' };
const halfAnHour = { course: () => ({ durationMs: 30 * MINUTE }) };

/** Batches that are run again, whatever became of their first run: of both runs the later one's histories are kept. */
export const LATER_RUN_SCENARIOS: { readonly [name: string]: Scenario } = {
  again: async (env) => {
    const batch = await cancelledOnce(env, 'again');
    await batch.run();
    return batch;
  },
  'account-wait': async (env) => {
    const batch = await cancelledOnce(env, 'account-wait');
    batch.provider.fault = () => refusal('ProviderAuth', 401);
    const handle = await batch.start();
    await env.server.sleep('30m');
    batch.provider.fault = () => null;
    await handle.signal('resume');
    await handle.result();
    return batch;
  },
  'left-cancel': async (env) => {
    const batch = await env.batch('left-cancel', {
      rows: 10,
      input: eachMinute,
      // Longer than any timer of the closed run: the server still skips to those.
      provider: { course: () => ({ durationMs: 100 * 365 * 24 * 60 * MINUTE }) },
    });
    batch.onBefore('getJob', async ({ n }) => {
      if (n !== 5) return;
      await batch.handle.terminate('by hand');
      await batch.shard(0).terminate('by hand');
    });
    await batch.run().catch(() => undefined);
    await env.freeTime();
    cancelInPrepare(batch);
    await batch.run();
    return batch;
  },
  'earlier-shard': async (env) => {
    const batch = await env.batch('earlier-shard', { input: eachMinute, provider: halfAnHour });
    batch.onBefore('getJob', async ({ n }) => {
      if (n !== 5) return;
      await batch.handle.terminate('by hand');
      await batch.start();
    });
    await batch.run().catch(() => undefined);
    await batch.handle.result();
    return batch;
  },
};

/** What the time-skipping server does otherwise than a real one: it never tells a parent that its child was terminated. */
export const REAL_SERVER_SCENARIOS: { readonly [name: string]: Scenario } = {
  'shard-terminated': async (env) => {
    const batch = await env.batch('shard-terminated', {
      rows: 10,
      input: { pollMin: '1s', pollMax: '1s' },
      provider: { course: () => ({ durationMs: 60_000, cancelMs: 500 }) },
    });
    batch.onBefore('getJob', async ({ n }) => {
      if (n === 2) await batch.shard(0).terminate('by hand');
    });
    await batch.run();
    return batch;
  },
};

/** A batch whose first run has ended, cancelled, with some answers. */
async function cancelledOnce(env: WorkflowEnv, batchId: string): Promise<BatchUnderTest> {
  const batch = await env.batch(batchId, {
    rows: 10,
    input: eachMinute,
    provider: { course: (n) => ({ durationMs: n === 1 ? 30 * MINUTE : MINUTE }) },
  });
  batch.onBefore('getJob', async (call) => {
    if (call.n === 10) await batch.during(call, () => batch.handle.signal('cancel', {}));
  });
  await batch.run();
  return batch;
}
