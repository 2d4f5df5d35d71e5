import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createActivities } from '../../activities/create-activities.js';
import type { ActivityDeps } from '../../activities/deps.js';
import { systemClock } from '../../batch/clock.js';
import { openFileStore } from '../../storage/file.js';
import { ACTIVITY_OPTIONS } from '../../workflows/proxies.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-life-'));
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

/** A store whose first read takes until `answer` is called, as on a disk that hangs. */
function slowDeps(): { deps: ActivityDeps; answer: () => void } {
  let answer = (): void => undefined;
  const answered = new Promise<null>((resolve) => {
    answer = () => resolve(null);
  });
  const store = openFileStore(folder);
  store.readSmall = () => answered;
  const deps: ActivityDeps = {
    store,
    provider: () => {
      throw new Error('not asked for');
    },
    clock: systemClock,
    scratchDir: folder,
    fileRoots: () => Promise.resolve([]),
    createSettleMs: 1000,
    cancelWaitMs: 1000,
  };
  return { deps, answer };
}

test('an activity that waits heartbeats often enough, and no more once it has ended', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { deps, answer } = slowDeps();
  const activities = createActivities(deps);
  const env = new MockActivityEnvironment({
    workflowExecution: { workflowId: 'b1/shard-00000', runId: 'run' },
  });
  let beats = 0;
  env.on('heartbeat', () => (beats += 1));
  const call = env.run(activities.getJob, { jobId: 'job' });

  await vi.advanceTimersByTimeAsync(15_000);
  expect(beats).toBeGreaterThanOrEqual(3);
  answer();
  await expect(call).rejects.toMatchObject({ type: 'StorageMismatch' });
  const before = beats;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(beats).toBe(before);
});

test('the last heartbeat of a failed attempt counts its failure, those before carry the earlier ones along', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { deps, answer } = slowDeps();
  const env = new MockActivityEnvironment({
    workflowExecution: { workflowId: 'b1/shard-00000', runId: 'run' },
    heartbeatDetails: { progress: '7 rows', streak: { type: 'StorageMismatch', attempts: 2 } },
  });
  const details: unknown[] = [];
  env.on('heartbeat', (each: unknown) => details.push(each));
  const call = env.run(createActivities(deps).getJob, { jobId: 'job' });
  await vi.advanceTimersByTimeAsync(15_000);
  answer();
  await expect(call).rejects.toMatchObject({ type: 'StorageMismatch' });
  const counted = details.map((each) => (each as { streak: { attempts: number } }).streak.attempts);
  expect(counted).toEqual([2, 2, 2, 3]);
});

test('every activity is given up within seconds when its worker was killed', () => {
  for (const options of Object.values(ACTIVITY_OPTIONS)) expect(options.heartbeatTimeout).toBe('15s');
});
