import { describe, expect, test } from 'vitest';
import type { JobFilter } from '../../providers/provider.js';
import type { BatchUnderTest } from '../support/batch-under-test.js';
import { lostAnswer, refusal } from '../support/provider-errors.js';
import { eachMinute, MINUTE, timeSkippingEnv } from '../support/time-skipping-env.js';

/* One wrong answer about a job, or a few of them, that must not decide what becomes of it. */

const env = timeSkippingEnv();

function hourLongBatch(id: string): Promise<BatchUnderTest> {
  return env().batch(id, { input: eachMinute, provider: { course: () => ({ durationMs: 60 * MINUTE }) } });
}

/** The nth poll does not find the job, and so does the next list. */
function hideOnce(batch: BatchUnderTest, nth: number): void {
  let isHidden = false;
  batch.provider.fault = (route, n) => {
    if (route === 'getJob' && n === nth) isHidden = true;
    const isStruck = isHidden && (route === 'getJob' || route === 'listJobs');
    if (route === 'listJobs') isHidden = false;
    return isStruck ? refusal('ProviderNotFound', 404) : null;
  };
}

function cancels(batch: BatchUnderTest): readonly number[] {
  return batch.provider.jobs.map((job) => job.cancels);
}

describe('a running job that a poll did not find', () => {
  test('is watched on when the list was not found either', async () => {
    const batch = await hourLongBatch('hidden-once');
    hideOnce(batch, 5);
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
    expect(cancels(batch)).toEqual([0]);
  });

  test('is watched on when pages came instead of the list', async () => {
    const batch = await hourLongBatch('hidden-pages');
    let pages = 0;
    batch.provider.fault = (route, n) => {
      if (route === 'getJob' && n === 5) return refusal('ProviderNotFound', 404);
      if (route !== 'listJobs' || batch.provider.callsOf('getJob') < 5 || pages >= 5) return null;
      pages += 1;
      return refusal('ProviderContract', 200);
    };
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  });

  test('is cancelled by a cancel whose calls did not find it at first', async () => {
    const batch = await hourLongBatch('hidden-cancel');
    let isHidden = false;
    batch.onBefore('getJob', async (call) => {
      if (call.n !== 3) return;
      isHidden = true;
      await batch.during(call, () => batch.handle.signal('cancel', { mode: 'keep' }));
    });
    batch.provider.fault = (route) => {
      if (!isHidden || !['cancelJob', 'getJob', 'listJobs'].includes(route)) return null;
      if (route === 'listJobs') isHidden = false;
      return refusal('ProviderNotFound', 404);
    };
    await batch.run();
    expect(cancels(batch)).toEqual([1]);
  });

  test('is not called deleted when patience with an absent provider is over', async () => {
    const batch = await hourLongBatch('hidden-for-good');
    batch.onBefore('getJob', async (call) => {
      if (call.n !== 3) return;
      batch.provider.fault = () => refusal('ProviderNotFound', 404);
      await batch.during(call, () => batch.handle.signal('cancel', { mode: 'keep' }));
    });
    expect(await batch.run()).toMatchObject({ outcome: 'cancelled', rows: { cancelled: 4, missing: 0 } });
    expect((await batch.manifest()).jobs).toMatchObject([{ jobId: 'job-1' }]);
  });
});

describe('a job of a run that was cancelled, which the next run has not seen alive', () => {
  async function cancelledBatch(id: string): Promise<BatchUnderTest> {
    const batch = await env().batch(id, {
      input: eachMinute,
      provider: { course: (n) => ({ durationMs: (n === 1 ? 60 : 1) * MINUTE }) },
    });
    batch.onBefore('getJob', async (call) => {
      if (call.n === 2) await batch.during(call, () => batch.handle.signal('cancel', { mode: 'discard' }));
    });
    expect((await batch.run()).outcome).toBe('cancelled');
    return batch;
  }

  test('has nothing that is final once it was deleted: --rebuy-lost buys its rows', async () => {
    const batch = await cancelledBatch('unseen-deleted');
    await batch.provider.deleteJob('job-1');
    expect(await batch.run({ rebuyLost: true })).toMatchObject({ outcome: 'succeeded' });
  });

  test('has nothing that is final because it did not show at once', async () => {
    const batch = await cancelledBatch('unseen-late');
    let isHidden = true;
    batch.provider.fault = (route) => {
      if (route !== 'getJob' || !isHidden) return null;
      isHidden = false;
      return refusal('ProviderNotFound', 404);
    };
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded' });
  });
});

describe('one 400', () => {
  test('at a download is no reason to leave the answers where they are', async () => {
    const batch = await env().batch('refused-download', { input: eachMinute });
    batch.provider.fault = (route, n) =>
      route === 'downloadFile' && n === 1 ? refusal('ProviderRejected', 400) : null;
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded', failure: null });
  });

  test('is no reason to leave a job that an earlier run began', async () => {
    const batch = await hourLongBatch('refused-adoption');
    batch.onBefore('getJob', async (call) => {
      if (call.n !== 3) return;
      await batch.handle.terminate('by hand');
      await batch.shard(0).terminate('by hand');
    });
    await batch.run().catch(() => undefined);
    await env().freeTime();
    let isRefused = true;
    batch.provider.fault = (route) => {
      if (route !== 'getJob' || !isRefused) return null;
      isRefused = false;
      return refusal('ProviderRejected', 400);
    };
    expect(await batch.run()).toMatchObject({ outcome: 'succeeded', failure: null });
    expect(batch.provider.jobs).toHaveLength(1);
  });
});

test('a job that a list shows ended is asked for its files and counts itself', async () => {
  const batch = await env().batch('short-entries', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 5_000 }) },
  });
  batch.provider.fault = (route, n) => (route === 'createJob' && n === 1 ? lostAnswer() : null);
  const whole = batch.provider.listJobs.bind(batch.provider);
  batch.provider.listJobs = async function* (filter: JobFilter) {
    const counts = { total: 0, completed: 0, succeeded: 0, failed: 0 };
    for await (const job of whole(filter)) yield { ...job, counts, outputFile: null, errorFile: null };
  };
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded' });
  expect(batch.provider.jobs).toHaveLength(1);
});

test('a finished job that two looks did not find, and a list did, is collected', async () => {
  const batch = await env().batch('finished-hidden', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 3.5 * MINUTE }) },
  });
  let hidden = 0;
  batch.provider.fault = (route, n) => {
    if (route === 'getJob' && n === 4) hidden = 2;
    if (route !== 'getJob' || hidden === 0) return null;
    hidden -= 1;
    return refusal('ProviderNotFound', 404);
  };
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 4 } });
  expect(hidden).toBe(0);
});
