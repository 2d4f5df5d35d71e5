import { expect, test } from 'vitest';
import { refusal } from '../support/provider-errors.js';
import { eachMinute, MINUTE, timeSkippingEnv } from '../support/time-skipping-env.js';

const env = timeSkippingEnv();

/** The provider is in its right mind again after so many: with a loop that never pauses the test would not end. */
const ENOUGH = 100;

test('a cancel that does not find its job, which is there, is asked for again at each poll', async () => {
  const batch = await env().batch('cancel-404', {
    input: eachMinute,
    provider: { course: () => ({ durationMs: 300 * MINUTE }) },
  });
  batch.provider.fault = (route, n) =>
    route === 'cancelJob' && n < ENOUGH ? refusal('ProviderNotFound', 404) : null;
  batch.onBefore('getJob', async (call) => {
    if (call.n === 3) await batch.during(call, () => batch.handle.signal('cancel', { mode: 'keep' }));
  });
  await batch.run();
  const cancels = batch.callsOf('cancelJob');
  expect(cancels).toBeGreaterThan(3);
  expect(cancels).toBeLessThan(ENOUGH);
  expect(cancels).toBeLessThanOrEqual(batch.callsOf('getJob'));
  // Given up in the end, and not hidden.
  const { jobs } = await batch.manifest();
  expect(jobs.map(({ jobId, status }) => [jobId, status])).toEqual([['job-1', 'RUNNING']]);
});

test('a deleted job that lists still show is asked for at the polls’ pace, at a deadline too', async () => {
  const batch = await env().batch('deadline-404', {
    input: { ...eachMinute, deadline: '10m' },
    provider: { course: () => ({ durationMs: 300 * MINUTE }) },
  });
  let cancels = 0;
  batch.onBefore('getJob', ({ n }) => {
    if (n !== 3) return;
    batch.provider.fault = (route) =>
      (route === 'getJob' || route === 'cancelJob') && cancels < ENOUGH
        ? refusal('ProviderNotFound', 404)
        : null;
  });
  batch.onBefore('cancelJob', () => {
    cancels += 1;
  });
  await batch.run();
  expect(cancels).toBeGreaterThan(3);
  expect(cancels).toBeLessThan(ENOUGH);
});

test('the rows of a job that was still being cancelled when its batch was started again are bought again', async () => {
  const batch = await env().batch('cancelling-adopted', {
    input: eachMinute,
    provider: { course: (n) => ({ durationMs: (n === 1 ? 60 : 1) * MINUTE, cancelMs: 10 * MINUTE }) },
  });
  batch.onBefore('getJob', async (call) => {
    if (call.n === 2) await batch.during(call, () => batch.handle.signal('cancel', { mode: 'discard' }));
  });
  expect((await batch.run()).outcome).toBe('cancelled');
  expect(await batch.run()).toMatchObject({ outcome: 'succeeded' });
  expect(batch.provider.jobs).toHaveLength(2);
});
