import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { E2eHome } from '../support/e2e-home.js';
import { ONCE_ROWS, ONCE_TIMEOUT_MS } from '../support/e2e-once.js';
import { OnceHomes } from '../support/once-homes.js';
import type { Once } from '../support/once-homes.js';

/* Lists that lag, and creates that are carried out late: within the settle time one job, beyond it a duplicate. */

const homes = new OnceHomes();
let undisturbed: Buffer;

beforeAll(async () => {
  undisturbed = await homes.undisturbedResults();
});

afterAll(() => homes.remove());

const LOST_ANSWER = { route: 'createJob', nth: 1, fault: { type: 'status', status: 502, when: 'after' } };

async function expectOneJob({ home, id }: Pick<Once, 'home' | 'id'>): Promise<void> {
  expect(await home.emulator.jobs()).toMatchObject([{ status: 'SUCCESS' }]);
  expect((await home.results(id)).equals(undisturbed)).toBe(true);
  expect((await home.manifest(id)).jobs).toMatchObject([{ status: 'SUCCESS' }]);
}

/** The one hole: a second job was made. It was cancelled once, is listed, and no row counts twice. */
async function expectDuplicateCancelled({ home, id }: Pick<Once, 'home' | 'id'>): Promise<void> {
  const jobs = await home.emulator.jobs();
  expect(jobs.map(({ status }) => status).toSorted()).toEqual(['CANCELLED', 'SUCCESS']);
  const [kept, duplicate] = (await home.manifest(id)).jobs;
  expect(jobs.find(({ status }) => status === 'SUCCESS')?.id).toBe(kept?.jobId);
  expect(kept?.duplicate).toBeUndefined();
  expect(duplicate).toMatchObject({ duplicate: true, shard: 0, round: 1, succeeded: 0 });
  const cancels = (await home.emulator.journal('cancelJob')).filter(({ effect }) => effect !== null);
  expect(cancels).toMatchObject([{ effect: { cancelled: duplicate?.jobId } }]);
  expect(await home.manifest(id)).toMatchObject({
    outcome: 'succeeded',
    rows: { total: ONCE_ROWS.length, succeeded: ONCE_ROWS.length },
  });
  expect((await home.results(id)).equals(undisturbed)).toBe(true);
}

/** So long that a machine that is busy looks several times within it. */
const LONG = { LONGHAUL_CREATE_SETTLE: '20s' };
const HOLD_POLL = { route: 'getJob', nth: 1, fault: { type: 'hold', when: 'before' } };

/** Lists that somebody else asks for, so that one which lags by a number of calls has caught up. */
async function list(home: E2eHome, times: number): Promise<void> {
  const headers = { authorization: `Bearer ${home.env['MISTRAL_API_KEY']}` };
  for (let n = 0; n < times; n += 1) await fetch(`${home.emulator.url}/v1/batch/jobs`, { headers });
}

describe.concurrent('a list that lags', { timeout: ONCE_TIMEOUT_MS }, () => {
  test.each([
    ['for less than the settle time', { type: 'listLag', ms: 3_000 }],
    ['by one call', { type: 'listLag', calls: 1 }],
  ])('%s hides no job', (_, lag) =>
    homes.lend({ emulator: { jobSeconds: 3 }, env: LONG }, async ({ home, input, id }) => {
      await home.emulator.setFaults(LOST_ANSWER, { route: 'createJob', nth: 1, fault: lag });
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
    }),
  );

  test('for longer than the settle time makes a duplicate, which is found at the end and cancelled', () =>
    homes.lend({ emulator: { jobSeconds: 2, cancelSeconds: 0.1 } }, async ({ home, input, id }) => {
      const lag = 100;
      await home.emulator.setFaults(
        LOST_ANSWER,
        HOLD_POLL,
        { route: 'createJob', nth: 1, fault: { type: 'listLag', calls: lag } },
        { route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 600 } },
      );
      const command = home.run(input, id);
      await home.emulator.waitFor('getJob');
      await list(home, lag);
      await home.emulator.release();
      await command.exits(0);
      await expectDuplicateCancelled({ home, id });
    }));

  test('for longer than the settle time changes nothing for a create that was answered', () =>
    homes.lend({ emulator: { jobSeconds: 2 } }, async ({ home, input, id }) => {
      await home.emulator.setFaults({ route: 'createJob', fault: { type: 'listLag', ms: 600_000 } });
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
    }));
});

describe.concurrent(
  'a create that is carried out after the client gave up',
  { timeout: ONCE_TIMEOUT_MS },
  () => {
    const late = { type: 'hold', when: 'before', ifAborted: 'proceed' };

    test('within the settle time is adopted', () =>
      homes.lend({ emulator: { jobSeconds: 2 }, env: LONG }, async ({ home, input, id }) => {
        await home.emulator.setFaults({ route: 'createJob', nth: 1, fault: late });
        const command = home.run(input, id);
        await vi.waitFor(
          async () => expect(await home.emulator.journal('createJob')).toMatchObject([{ aborted: true }]),
          { timeout: 60_000, interval: 50 },
        );
        await home.emulator.release();
        await command.exits(0);
        await expectOneJob({ home, id });
      }));

    test('later than the settle time is a duplicate, found at the next look and cancelled', () =>
      homes.lend({ emulator: { jobSeconds: 2, cancelSeconds: 0.1 } }, async ({ home, input, id }) => {
        await home.emulator.setFaults(
          { route: 'createJob', nth: 1, fault: late },
          { route: 'createJob', nth: 1, fault: { type: 'jobSeconds', seconds: 600 } },
          HOLD_POLL,
        );
        const command = home.run(input, id);
        await home.emulator.waitFor('getJob');
        await home.emulator.release('createJob');
        await home.emulator.waitFor('createJob', { count: 2, until: 'effect' });
        await home.emulator.release('getJob');
        await command.exits(0);
        await expectDuplicateCancelled({ home, id });
      }));
  },
);
