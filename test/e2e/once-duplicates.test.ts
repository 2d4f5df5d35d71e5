import { beforeAll, describe, expect, test } from 'vitest';
import type { E2eHome } from '../support/e2e-home.js';
import { ONCE_ROWS, ONCE_TIMEOUT_MS, undisturbedResults, withOnceHome } from '../support/e2e-once.js';

/* Lists that lag, and creates that are carried out late: within the settle time one job, beyond it a duplicate. */

const BATCH = 'once';
let undisturbed: Buffer;

beforeAll(async () => {
  undisturbed = await undisturbedResults();
});

const LOST_ANSWER = { route: 'createJob', nth: 1, fault: { type: 'status', status: 502, when: 'after' } };

async function expectOneJob(home: E2eHome): Promise<void> {
  expect(await home.emulator.jobs()).toMatchObject([{ status: 'SUCCESS' }]);
  expect((await home.results(BATCH)).equals(undisturbed)).toBe(true);
  expect((await home.manifest(BATCH)).jobs).toMatchObject([{ status: 'SUCCESS' }]);
}

/** The one hole: a second job was made. It was cancelled once, is listed, and no row counts twice. */
async function expectDuplicateCancelled(home: E2eHome): Promise<void> {
  const jobs = await home.emulator.jobs();
  expect(jobs.map(({ status }) => status).toSorted()).toEqual(['CANCELLED', 'SUCCESS']);
  const [kept, duplicate] = (await home.manifest(BATCH)).jobs;
  expect(jobs.find(({ status }) => status === 'SUCCESS')?.id).toBe(kept?.jobId);
  expect(kept?.duplicate).toBeUndefined();
  expect(duplicate).toMatchObject({ duplicate: true, shard: 0, round: 1, succeeded: 0 });
  const cancels = (await home.emulator.journal('cancelJob')).filter(({ effect }) => effect !== null);
  expect(cancels).toMatchObject([{ effect: { cancelled: duplicate?.jobId } }]);
  expect(await home.manifest(BATCH)).toMatchObject({
    outcome: 'succeeded',
    rows: { total: ONCE_ROWS.length, succeeded: ONCE_ROWS.length },
  });
  expect((await home.results(BATCH)).equals(undisturbed)).toBe(true);
}

describe.concurrent('a list that lags', { timeout: ONCE_TIMEOUT_MS }, () => {
  test.each([
    ['for less than the settle time', { type: 'listLag', ms: 2_000 }],
    ['by one call', { type: 'listLag', calls: 1 }],
  ])('%s hides no job', (_, lag) =>
    withOnceHome({ emulator: { jobSeconds: 3 } }, async (home, input) => {
      await home.emulator.setFaults(LOST_ANSWER, { route: 'createJob', nth: 1, fault: lag });
      await home.run(input, BATCH).exits(0);
      await expectOneJob(home);
    }),
  );

  test('for longer than the settle time makes a duplicate, which is found at the end and cancelled', () =>
    withOnceHome({ emulator: { jobSeconds: 12, cancelSeconds: 0.1 } }, async (home, input) => {
      await home.emulator.setFaults(
        LOST_ANSWER,
        { route: 'createJob', nth: 1, fault: { type: 'listLag', ms: 9_000 } },
        { route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 100 } },
      );
      await home.run(input, BATCH).exits(0);
      await expectDuplicateCancelled(home);
    }));

  test('for longer than the settle time changes nothing for a create that was answered', () =>
    withOnceHome({ emulator: { jobSeconds: 2 } }, async (home, input) => {
      await home.emulator.setFaults({ route: 'createJob', fault: { type: 'listLag', ms: 60_000 } });
      await home.run(input, BATCH).exits(0);
      await expectOneJob(home);
    }));
});

describe.concurrent(
  'a create that is carried out after the client gave up',
  { timeout: ONCE_TIMEOUT_MS },
  () => {
    test('within the settle time is adopted', () =>
      withOnceHome({ emulator: { jobSeconds: 2 } }, async (home, input) => {
        await home.emulator.setFaults({ route: 'createJob', nth: 1, fault: { type: 'latency', ms: 3_000 } });
        await home.run(input, BATCH).exits(0);
        await expectOneJob(home);
      }));

    test('later than the settle time is a duplicate, found at the next look and cancelled', () =>
      withOnceHome({ emulator: { jobSeconds: 10, cancelSeconds: 0.1 } }, async (home, input) => {
        await home.emulator.setFaults(
          { route: 'createJob', nth: 1, fault: { type: 'latency', ms: 9_000 } },
          { route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 100 } },
        );
        await home.run(input, BATCH).exits(0);
        await expectDuplicateCancelled(home);
      }));
  },
);
