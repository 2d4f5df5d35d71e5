import { access } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { holdHome } from '../support/e2e-embedded.js';
import type { E2eHome } from '../support/e2e-home.js';
import {
  ONCE_ROWS,
  ONCE_TIMEOUT_MS,
  secondWorker,
  suspendWorker,
  withOnceHome,
} from '../support/e2e-once.js';
import { expectNoProcess } from '../support/e2e-processes.js';
import { OnceHomes } from '../support/once-homes.js';

/* Two that want the same job at the same time: attempts, workers, commands, homes. */

const BATCH = 'once';
/** A suspended worker's long polls go on swallowing tasks until their heartbeats are missed. */
const TAKE_OVER_MS = 170_000;
const homes = new OnceHomes();
let undisturbed: Buffer;

beforeAll(async () => {
  undisturbed = await homes.undisturbedResults();
});

afterAll(() => homes.remove());

async function expectOneJob(home: E2eHome, id = BATCH): Promise<void> {
  expect(await home.emulator.jobs()).toMatchObject([{ status: 'SUCCESS', total_requests: ONCE_ROWS.length }]);
  expect(await home.emulator.effects('createJob')).toBe(1);
  expect((await home.results(id)).equals(undisturbed)).toBe(true);
}

async function untilJobIsRecorded(home: E2eHome): Promise<void> {
  await vi.waitFor(() => access(home.storePath(BATCH, 'rounds/00000-1/job.json')), {
    timeout: TAKE_OVER_MS,
    interval: 100,
  });
}

describe.concurrent('a worker that is suspended during a create', { timeout: 2 * ONCE_TIMEOUT_MS }, () => {
  test('and wakes with the answer when another one has adopted the job', () =>
    withOnceHome({ emulator: { jobSeconds: 10 } }, async (home, input) => {
      await home.emulator.setFaults({ route: 'createJob', nth: 1, fault: { type: 'hold', when: 'after' } });
      const command = home.run(input, BATCH);
      await home.emulator.waitFor('createJob', { until: 'effect' });
      const wake = await suspendWorker(home);
      await home.emulator.release();
      const second = await secondWorker(home);
      await untilJobIsRecorded(home);
      wake();
      await command.exits(0);
      await expectOneJob(home);
      second.kill();
      await expectNoProcess(home.path);
    }));

  test('and wakes with an empty list when another one has created the job', () =>
    withOnceHome(
      { emulator: { jobSeconds: 10 }, env: { LONGHAUL_CREATE_SETTLE: '60s' } },
      async (home, input) => {
        // The first is of the account, the second of findJob, the third of createJob.
        await home.emulator.setFaults({ route: 'listJobs', nth: 3, fault: { type: 'hold', when: 'after' } });
        const command = home.run(input, BATCH);
        await home.emulator.waitFor('listJobs', { count: 3 });
        const wake = await suspendWorker(home);
        await home.emulator.release();
        const second = await secondWorker(home);
        await untilJobIsRecorded(home);
        wake();
        await command.exits(0);
        await expectOneJob(home);
        second.kill();
        await expectNoProcess(home.path);
      },
    ));

  test('and wakes with an empty list when the batch has been cancelled and has closed: it sends nothing', () =>
    withOnceHome({}, async (home, input) => {
      const session = await holdHome(home);
      await home.emulator.setFaults({ route: 'listJobs', nth: 3, fault: { type: 'hold', when: 'after' } });
      const command = home.run(input, BATCH);
      await home.emulator.waitFor('listJobs', { count: 3 });
      const wake = await suspendWorker(home);
      await home.emulator.release();
      const second = await secondWorker(home);
      await home.longhaul('cancel', BATCH).exits(0);
      await command.exits(5);
      wake();
      // Draining lets the activity that was woken come to its end.
      await session.close();
      second.interrupt();
      await second.exits(0);
      await expectNoProcess(home.path);
      expect(await home.emulator.jobs()).toEqual([]);
      expect(await home.emulator.journal('createJob')).toEqual([]);
      expect(await home.manifest(BATCH)).toMatchObject({
        outcome: 'cancelled',
        rows: { cancelled: ONCE_ROWS.length },
        jobs: [],
      });
    }));
});

describe.concurrent('commands at the same instant', { timeout: ONCE_TIMEOUT_MS }, () => {
  test('of one id and one home share one job', () =>
    homes.lend({}, async ({ home, input, id }) => {
      const commands = [home.run(input, id), home.run(input, id), home.run(input, id)];
      await Promise.all(commands.map((command) => command.exits(0)));
      await expectOneJob(home, id);
    }));

  test('of two ids with identical shards make a job each, and each reads its own', () =>
    homes.lend({}, async ({ home, input }) => {
      await Promise.all(['one', 'two'].map((id) => home.run(input, id).exits(0)));
      const jobs = await home.emulator.jobs();
      expect(new Set(jobs.map(({ metadata }) => metadata?.['longhaul_key'])).size).toBe(2);
      for (const id of ['one', 'two']) {
        const [own, ...others] = jobs.filter(({ metadata }) => metadata?.['longhaul_batch'] === id);
        expect(others).toEqual([]);
        expect((await home.manifest(id)).jobs).toMatchObject([{ jobId: own?.id }]);
        expect((await home.results(id)).equals(undisturbed)).toBe(true);
      }
    }));

  test('of one id and one store, under two Temporal servers, make one job', () =>
    withOnceHome({ emulator: { jobSeconds: 4 } }, (home, input) =>
      withOnceHome({ env: rivalEnv(home, true) }, async (rival) => {
        await Promise.all([home.run(input, BATCH).exits(0), rival.run(input, BATCH).exits(0)]);
        await expectOneJob(home);
      }),
    ));

  test('of one id and two homes, whose creates cross, keep one job and cancel the other', () =>
    withOnceHome({ emulator: { jobSeconds: 4 }, env: { LONGHAUL_CREATE_SETTLE: '120s' } }, (home, input) =>
      withOnceHome({ env: rivalEnv(home, false) }, async (rival) => {
        const hold = { type: 'hold', when: 'before', ifAborted: 'proceed' };
        await home.emulator.setFaults({ route: 'createJob', nth: [1, 2], fault: hold });
        const commands = [home.run(input, BATCH), rival.run(input, BATCH)];
        await home.emulator.waitFor('createJob', { count: 2 });
        await home.emulator.release();
        await Promise.all(commands.map((command) => command.exits(0)));
        for (const each of [home, rival]) {
          expect((await each.results(BATCH)).equals(undisturbed)).toBe(true);
        }
        const jobs = await home.emulator.jobs();
        expect(jobs.map(({ status }) => status).toSorted()).toEqual(['CANCELLED', 'SUCCESS']);
        const kept = jobs.find(({ status }) => status === 'SUCCESS')?.id;
        const listed = (await home.manifest(BATCH)).jobs;
        expect(listed.find(({ duplicate }) => duplicate !== true)?.jobId).toBe(kept);
      }),
    ));
});

/** A home with a server of its own, the other one's account at the provider, and maybe its store. */
function rivalEnv(home: E2eHome, sameStore: boolean): NodeJS.ProcessEnv {
  return {
    MISTRAL_BASE_URL: home.emulator.url,
    LONGHAUL_CREATE_SETTLE: home.env['LONGHAUL_CREATE_SETTLE'],
    ...(sameStore && { LONGHAUL_STORE: `file://${home.path}/store` }),
  };
}
