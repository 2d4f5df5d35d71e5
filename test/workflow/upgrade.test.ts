import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { bundleChanged } from '../support/changed-workflows.js';
import type { BatchUnderTest } from '../support/batch-under-test.js';
import { until } from '../support/until.js';
import { WorkflowEnv } from '../support/workflow-env.js';

/*
 * A batch that began under one version of the workflows and ends under the next, on a real server. The next one asks
 * the account a second time: behind `patched`, or, as nobody should, without.
 */

const ASK_AGAIN = "await activities.checkAccount('once more', {});";
const FIRST_LINE = '    const { settings } = prepared;\n';

const DEPLOYMENT = 'longhaul';

let env: WorkflowEnv;
let old: string;
let patched: string;
let unguarded: string;

beforeAll(async () => {
  old = inject('workflowBundlePath');
  env = await WorkflowEnv.startReal(old);
  const file = 'workflows/batch-run.ts';
  const imports = {
    file,
    from: 'import { allHandlersFinished,',
    to: 'import { patched, allHandlersFinished,',
  };
  const asks = (guard: string) => ({
    file,
    from: FIRST_LINE,
    to: `${FIRST_LINE}    ${guard}${ASK_AGAIN}\n`,
  });
  patched = await bundleChanged(
    [imports, asks("if (patched('ask-twice')) ")],
    join(env.folder, 'patched.js'),
  );
  unguarded = await bundleChanged([asks('')], join(env.folder, 'unguarded.js'));
});

afterAll(() => env.close());

const HOUR_MS = 3_600_000;

/** A batch whose job runs until the test says that it may end. */
function slowBatch(batchId: string): Promise<BatchUnderTest> {
  return env.batch(batchId, {
    input: { pollMin: '1s', pollMax: '1s' },
    provider: { course: () => ({ durationMs: HOUR_MS }) },
  });
}

function endJob({ provider }: BatchUnderTest): void {
  for (const job of provider.jobs) job.endBy(Date.now());
}

async function running(batchId: string): Promise<BatchUnderTest> {
  const batch = await slowBatch(batchId);
  await batch.start();
  await until('its job is polled', () => batch.callsOf('getJob') > 0);
  return batch;
}

async function failedTasks(batch: BatchUnderTest): Promise<string[]> {
  const { events } = await batch.handle.fetchHistory();
  return (events ?? []).flatMap((event) => event.workflowTaskFailedEventAttributes?.failure?.message ?? []);
}

test('a batch goes on under the next version, its change behind `patched`, and ends well', async () => {
  await env.startWorkers(old);
  const batch = await running('carried');
  await env.startWorkers(patched);
  endJob(batch);
  expect(await batch.handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 1, failure: null });
  expect(batch.provider.jobs).toHaveLength(1);
  expect(await failedTasks(batch)).toEqual([]);
  // The old way for what began in the old version, the new way for what begins now.
  expect(batch.callsOf('checkAccount')).toBe(1);
  const fresh = await env.batch('fresh', {
    input: { pollMin: '1s', pollMax: '1s' },
    provider: { course: () => ({ durationMs: 1_000 }) },
  });
  expect(await fresh.run()).toMatchObject({ outcome: 'succeeded' });
  expect(fresh.callsOf('checkAccount')).toBe(2);
});

test('without the guard the same change is caught, and undone by the version that was there before', async () => {
  await env.startWorkers(old);
  const batch = await running('not-guarded');
  await env.startWorkers(unguarded);
  // A task of the batch itself, whose history the new code can't follow.
  await batch.handle.signal('pause');
  await until('the change is caught', async () => (await failedTasks(batch)).length > 0);
  expect(await failedTasks(batch)).toEqual([expect.stringContaining('TMPRL1100')]);
  await env.startWorkers(patched);
  endJob(batch);
  await batch.handle.signal('resume');
  expect(await batch.handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 1, failure: null });
  expect(batch.provider.jobs).toHaveLength(1);
});

test('workers with a version get nothing to do until it is made current, then open batches follow it', async () => {
  const { workflowService } = env.server.connection;
  const namespace = env.server.namespace ?? 'default';
  const makeCurrent = (buildId: string) =>
    until(`${buildId} is current`, async () => {
      const version = { deploymentName: DEPLOYMENT, buildId };
      try {
        await workflowService.setWorkerDeploymentCurrentVersion({ namespace, ...version });
        return true;
      } catch {
        // The server has not heard of all of its workers yet.
        return false;
      }
    });
  await env.startWorkers(old, { name: DEPLOYMENT, buildId: '0.1.0' });
  const batch = await slowBatch('versioned');
  await batch.start();
  const { taskQueue } = await batch.handle.describe();
  await until('the workers are known', async () => {
    const { pollers } = await workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: 1,
    });
    return (pollers ?? []).some(({ deploymentOptions }) => deploymentOptions?.buildId === '0.1.0');
  });
  expect((await batch.handle.fetchHistory()).events).toHaveLength(2);

  await makeCurrent('0.1.0');
  await until('its job is polled', () => batch.callsOf('getJob') > 0);
  await env.startWorkers(patched, { name: DEPLOYMENT, buildId: '0.2.0' });
  await makeCurrent('0.2.0');
  endJob(batch);
  expect(await batch.handle.result()).toMatchObject({ outcome: 'succeeded', jobs: 1 });
  expect(await failedTasks(batch)).toEqual([]);
  const { raw } = await batch.handle.describe();
  expect(raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion).toMatchObject({ buildId: '0.2.0' });
});
