import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  cutOffAfterCreate,
  loseStore,
  loseTemporal,
  ONCE_ROWS,
  ONCE_TIMEOUT_MS,
  powerCut,
} from '../support/e2e-once.js';
import type { E2eHome } from '../support/e2e-home.js';
import { parseResults, questions, writeRows } from '../support/e2e-rows.js';
import { OnceHomes } from '../support/once-homes.js';
import type { Once } from '../support/once-homes.js';

/* What a batch's memory consists of is lost in part or whole; the same command must find what was paid for. */

const homes = new OnceHomes();
let undisturbed: Buffer;

beforeAll(async () => {
  undisturbed = await homes.undisturbedResults();
});

afterAll(() => homes.remove());

async function expectOneJob({ home, id }: Pick<Once, 'home' | 'id'>): Promise<void> {
  expect(await home.emulator.jobs()).toMatchObject([{ status: 'SUCCESS', total_requests: ONCE_ROWS.length }]);
  expect(await home.emulator.effects('createJob')).toBe(1);
  expect((await home.results(id)).equals(undisturbed)).toBe(true);
}

async function jobIdsOf(home: E2eHome): Promise<string[]> {
  return (await home.emulator.jobs()).map(({ id }) => id);
}

async function onlyJob(home: E2eHome): Promise<string> {
  const ids = await jobIdsOf(home);
  expect(ids).toHaveLength(1);
  return ids[0] ?? '';
}

/** A call to the provider as anybody with the key can make it. */
async function providerCall(home: E2eHome, method: string, path: string): Promise<void> {
  const answer = await fetch(`${home.emulator.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${home.env['MISTRAL_API_KEY']}` },
  });
  expect(answer.status, path).toBe(200);
}

describe.concurrent('the same command adopts the job that was paid for', { timeout: ONCE_TIMEOUT_MS }, () => {
  test('when Temporal’s database is lost', () =>
    homes.lend({}, async ({ home, input, id }) => {
      await cutOffAfterCreate(home, input, id);
      await loseTemporal(home);
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
    }));

  test('when Temporal’s database is lost while the job was being polled', () =>
    homes.lend({ emulator: { jobSeconds: 15 } }, async ({ home, input, id }) => {
      const command = home.run(input, id);
      await home.emulator.waitFor('getJob', { until: 'answered' });
      await powerCut(home);
      await command.exits('SIGKILL');
      await loseTemporal(home);
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
    }));

  test('when the store is lost while the run is open: that run fails, the next one adopts', () =>
    homes.lend({ emulator: { jobSeconds: 15 } }, async ({ home, input, id }) => {
      const command = home.run(input, id, '--json');
      await home.emulator.waitFor('getJob', { until: 'answered' });
      await loseStore(home);
      await command.exits(4);
      expect(JSON.parse(command.stdout)).toMatchObject({ failure: { type: 'StorageMismatch' } });
      expect(await home.emulator.effects('cancelJob')).toBe(0);
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
    }));

  test('when the store is lost and every process dies: the open run fails, the next one adopts', () =>
    homes.lend({ emulator: { jobSeconds: 15 } }, async ({ home, input, id }) => {
      await cutOffAfterCreate(home, input, id);
      await loseStore(home);
      await home.run(input, id).exits(4);
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
    }));

  test('when the store is lost after the run has closed: the finished job is adopted', () =>
    homes.lend({}, async ({ home, input, id }) => {
      await home.run(input, id).exits(0);
      await loseStore(home);
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
    }));

  test('when both are lost', () =>
    homes.lend({}, async ({ home, input, id }) => {
      await cutOffAfterCreate(home, input, id);
      await loseTemporal(home);
      await loseStore(home);
      await home.run(input, id).exits(0);
      await expectOneJob({ home, id });
      const [job] = await home.emulator.jobs();
      const manifest = await home.manifest(id);
      expect(manifest).toMatchObject({ outcome: 'succeeded', jobs: [{ jobId: job?.id, round: 1 }] });
    }));

  test('when both are lost in the second round: neither round is bought again', () =>
    homes.lend({}, async ({ home, input, id }) => {
      const [first = '', second = ''] = ONCE_ROWS.map(({ custom_id }) => custom_id);
      await home.emulator.setFaults(
        {
          route: 'createJob',
          fault: { type: 'rowErrors', customIds: [first, second], attempts: 1, status: 503 },
        },
        { route: 'createJob', nth: 2, fault: { type: 'hold', when: 'after' } },
      );
      const command = home.run(input, id);
      await home.emulator.waitFor('createJob', { count: 2, until: 'effect' });
      await powerCut(home);
      await command.exits('SIGKILL');
      await loseTemporal(home);
      await loseStore(home);
      await home.run(input, id).exits(0);
      expect(await home.emulator.effects('createJob')).toBe(2);
      const { outcome, jobs } = await home.manifest(id);
      expect(outcome).toBe('succeeded');
      expect(jobs.map(({ round, requests }) => [round, requests])).toEqual([
        [1, ONCE_ROWS.length],
        [2, 2],
      ]);
      expect(jobs.map(({ jobId }) => jobId).toSorted()).toEqual((await jobIdsOf(home)).toSorted());
    }));
});

describe.concurrent('a job that is adopted', { timeout: ONCE_TIMEOUT_MS }, () => {
  test('and was cancelled by somebody meanwhile is collected, and only its open rows are sent again', () =>
    homes.lend({ emulator: { jobSeconds: 30, cancelSeconds: 0.1 } }, async ({ home, input, id }) => {
      await cutOffAfterCreate(home, input, id);
      const cancelled = await onlyJob(home);
      await providerCall(home, 'POST', `/v1/batch/jobs/${cancelled}/cancel`);
      await loseTemporal(home);
      await loseStore(home);
      await home.emulator.setFaults({ route: 'createJob', fault: { type: 'jobSeconds', seconds: 1 } });
      await home.run(input, id).exits(0);
      const [first, second, ...others] = (await home.manifest(id)).jobs;
      expect(others).toEqual([]);
      expect(first).toMatchObject({ jobId: cancelled, round: 1, status: 'CANCELLED' });
      expect(second).toMatchObject({ round: 2, status: 'SUCCESS' });
      expect((first?.succeeded ?? 0) + (second?.succeeded ?? 0)).toBe(ONCE_ROWS.length);
      expect(second?.requests).toBe(ONCE_ROWS.length - (first?.succeeded ?? 0));
      const results = parseResults(await home.results(id));
      expect(results.map(({ custom_id }) => custom_id)).toEqual(ONCE_ROWS.map(({ custom_id }) => custom_id));
    }));

  test('and whose output is gone is not bought again, until that is asked for', () =>
    homes.lend({}, async ({ home, input, id }) => {
      await home.run(input, id).exits(0);
      const [job] = await home.emulator.jobs();
      await providerCall(home, 'DELETE', `/v1/files/${job?.output_file}`);
      await powerCut(home);
      await loseTemporal(home);
      await loseStore(home);
      await home.run(input, id).exits(3);
      expect(await home.emulator.effects('createJob')).toBe(1);
      expect(await home.manifest(id)).toMatchObject({
        outcome: 'partial',
        rows: { total: ONCE_ROWS.length, succeeded: 0, missing: ONCE_ROWS.length },
        jobs: [{ jobId: job?.id }],
      });
      expect(parseResults(await home.results(id))[0]?.error?.type).toBe('output_gone');
      await home.run(input, id, '--retry', '--rebuy-lost').exits(0);
      expect(await home.emulator.effects('createJob')).toBe(2);
      const texts = (await home.results(id)).toString().replaceAll('"round":2', '"round":1');
      expect(texts).toBe(undisturbed.toString());
    }));
});

describe.concurrent('another input under the same id', { timeout: ONCE_TIMEOUT_MS }, () => {
  test('is refused while the batch runs, when it is finished, and when Temporal is lost; nothing is sent', () =>
    homes.lend({ emulator: { jobSeconds: 8 } }, async ({ home, input, id }) => {
      const other = await writeRows(join(home.folder, 'others.jsonl'), questions(7, 'other'));
      const first = home.run(input, id);
      await home.emulator.waitFor('getJob', { until: 'answered' });
      const beside = await home.run(other, id, '--json').exits(2);
      expect(JSON.parse(beside.stdout)).toMatchObject({ failure: { type: 'FingerprintMismatch' } });
      await first.exits(0);
      const sent = async () =>
        (await home.emulator.journal()).filter(
          ({ route }) => route === 'uploadFile' || route === 'createJob',
        );
      const before = await sent();
      await home.run(other, id).exits(2);
      await powerCut(home);
      await loseTemporal(home);
      const listed = await home.longhaul('list').exits(0);
      expect(listed.stderr).toContain('What the store has of them: `longhaul clean');
      await rm(home.storePath(id, 'manifest.json'));
      await home.run(other, id).exits(2);
      expect(await sent()).toEqual(before);
      await home.run(input, id).exits(0);
      expect((await home.results(id)).equals(undisturbed)).toBe(true);
      expect(await sent()).toEqual(before);
    }));

  test('is refused for a single changed byte, also when the changed file has the old name', () =>
    homes.lend({}, async ({ home, input, id }) => {
      await home.run(input, id).exits(0);
      const text = await readFile(input, 'utf8');
      await writeFile(input, text.replace('why?', 'who?'));
      await home.run(input, id).exits(2);
      await home.run(input, id, '--retry').exits(2);
      expect(await home.emulator.effects('createJob')).toBe(1);
    }));
});
