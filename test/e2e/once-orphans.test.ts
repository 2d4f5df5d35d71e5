import { access } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Command } from '../support/e2e-command.js';
import { ENDPOINT, MODEL } from '../support/e2e-home.js';
import type { E2eHome } from '../support/e2e-home.js';
import {
  cutOffAfterCreate,
  loseStore,
  loseTemporal,
  ONCE_TIMEOUT_MS,
  withOnceHome,
} from '../support/e2e-once.js';

const BATCH = 'once';

const reportSchema = z.strictObject({
  jobs: z.array(
    z.object({
      jobId: z.string(),
      batchId: z.string(),
      reason: z.string(),
      action: z.string(),
      done: z.boolean(),
    }),
  ),
  files: z.array(
    z.object({ batchId: z.string().nullable(), reason: z.string(), action: z.string(), done: z.boolean() }),
  ),
  fixed: z.boolean(),
  cancels: z.number(),
  deletes: z.number(),
  failures: z.number(),
});

function reportOf({ stdout }: Command): z.output<typeof reportSchema> {
  return reportSchema.parse(JSON.parse(stdout));
}

function orphans(home: E2eHome, ...more: string[]): Command {
  return home.longhaul('doctor', '--orphans', ...more);
}

/** Requests that change something at the provider, but for those of the batches that run. */
async function changes(home: E2eHome): Promise<number> {
  return (await home.emulator.effects('cancelJob')) + (await home.emulator.effects('deleteFile'));
}

/** A second job for the rows of the first, as a create that was carried out much too late leaves it. */
async function lateDuplicate(home: E2eHome, batchId: string): Promise<string> {
  const [first] = await home.emulator.jobs(batchId);
  const headers = {
    authorization: `Bearer ${home.env['MISTRAL_API_KEY']}`,
    'content-type': 'application/json',
  };
  const files = await fetch(`${home.emulator.url}/v1/files?search=${first?.metadata?.['longhaul_key']}`, {
    headers,
  });
  const { data } = z.object({ data: z.array(z.object({ id: z.string() })) }).parse(await files.json());
  const answer = await fetch(`${home.emulator.url}/v1/batch/jobs`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      endpoint: ENDPOINT,
      model: MODEL,
      input_files: data.map(({ id }) => id),
      metadata: first?.metadata,
    }),
  });
  return z.object({ id: z.string() }).parse(await answer.json()).id;
}

async function statusOf(home: E2eHome, jobId: string): Promise<string | undefined> {
  return (await home.emulator.jobs()).find(({ id }) => id === jobId)?.status;
}

describe.concurrent('doctor --orphans', { timeout: ONCE_TIMEOUT_MS }, () => {
  test('finds nothing where every job has its batch, and says what it is about', () =>
    withOnceHome({}, async (home, input) => {
      await home.run(input, BATCH).exits(0);
      const command = await orphans(home).exits(0);
      expect(command.stdout).toBe('');
      expect(command.stderr).toContain('No orphans.');
      expect(command.stderr).toContain('no batch in THIS store');
    }));

  test('touches what is ours only when told to, and neither an open batch nor a colleague’s', () =>
    withOnceHome({ emulator: { jobSeconds: 2, cancelSeconds: 0.1 } }, (home, input) =>
      withOnceHome({ env: { MISTRAL_BASE_URL: home.emulator.url } }, async (colleague) => {
        await home.run(input, 'closed').exits(0);
        await home.emulator.setFaults({ route: 'createJob', fault: { type: 'jobSeconds', seconds: 600 } });
        const ours = await lateDuplicate(home, 'closed');
        home.run(input, 'open');
        colleague.run(input, 'theirs');
        await home.emulator.waitFor('createJob', { count: 4, until: 'answered' });
        // Until then the round would count the second job among those it may have made, and cancel one of the two.
        await vi.waitFor(() => access(home.storePath('open', 'rounds/00000-1/job.json')), {
          timeout: 20_000,
        });
        const open = await lateDuplicate(home, 'open');
        const [theirs] = await home.emulator.jobs('theirs');

        const expected = [
          { jobId: ours, batchId: 'closed', reason: 'duplicate', action: 'cancel' },
          { jobId: open, batchId: 'open', reason: 'duplicate', action: 'keep-open' },
          { jobId: theirs?.id, batchId: 'theirs', reason: 'unknown-batch', action: 'keep-foreign' },
        ];
        for (const dry of [[], ['--fix']]) {
          const listed = reportOf(await orphans(home, '--json', ...dry).exits(0));
          expect(listed.jobs).toHaveLength(3);
          expect(listed.jobs).toEqual(
            expect.arrayContaining(expected.map((job) => ({ ...job, done: false }))),
          );
          expect(listed).toMatchObject({ fixed: false, cancels: 1, deletes: 0 });
        }
        expect(await changes(home)).toBe(0);

        const fixed = await orphans(home, '--fix', '--yes').exits(0);
        expect(fixed.stderr).toContain('1 job cancelled, 0 files deleted.');
        expect(await statusOf(home, ours)).toMatch(/^CANCELL/);
        expect(await changes(home)).toBe(1);
        for (const left of [open, theirs?.id ?? '']) expect(await statusOf(home, left)).toBe('RUNNING');
      }),
    ));

  test('takes the jobs of a lost batch for ours when it is named; then its input goes too', () =>
    withOnceHome({ emulator: { jobSeconds: 120, cancelSeconds: 0.1 } }, async (home, input) => {
      await cutOffAfterCreate(home, input, BATCH);
      await loseTemporal(home);
      await loseStore(home);
      const untold = reportOf(await orphans(home, '--fix', '--yes', '--json').exits(0));
      expect(untold.jobs).toMatchObject([
        { batchId: BATCH, reason: 'unknown-batch', action: 'keep-foreign' },
      ]);
      expect(untold.files).toMatchObject([{ action: 'keep-in-use' }]);
      await orphans(home, '--batch', 'nobodys', '--fix', '--yes').exits(2);
      expect(await changes(home)).toBe(0);

      const named = ['--batch', BATCH, '--fix', '--yes', '--json'];
      expect(reportOf(await orphans(home, ...named).exits(0))).toMatchObject({
        jobs: [{ action: 'cancel', done: true }],
        files: [{ action: 'keep-in-use', done: false }],
      });
      expect(reportOf(await orphans(home, ...named).exits(0))).toMatchObject({
        jobs: [{ action: 'none', done: false }],
        files: [{ action: 'delete', done: true }],
      });
      expect(await changes(home)).toBe(2);
    }));

  test('says what failed, goes on, and exits with 4', () =>
    withOnceHome({ emulator: { jobSeconds: 120 } }, async (home, input) => {
      await cutOffAfterCreate(home, input, BATCH);
      await loseTemporal(home);
      await loseStore(home);
      await home.emulator.setFaults({ route: 'cancelJob', fault: { type: 'status', status: 503 } });
      const failed = reportOf(await orphans(home, '--batch', BATCH, '--fix', '--yes', '--json').exits(4));
      expect(failed).toMatchObject({ jobs: [{ action: 'cancel', done: false }], failures: 1, cancels: 0 });
      await home.emulator.setFaults({ route: 'listFiles', fault: { type: 'status', status: 401 } });
      const { stdout } = await orphans(home, '--json').exits(4);
      expect(JSON.parse(stdout)).toMatchObject({
        jobs: [{ batchId: BATCH }],
        failure: { type: 'ProviderAuth' },
      });
    }));

  test('refuses options that make no sense together', () =>
    withOnceHome({}, async (home) => {
      for (const args of [['--fix'], ['--yes'], ['--batch', 'x'], ['--orphans', '--yes']]) {
        await home.longhaul('doctor', ...args).exits(2);
      }
    }));
});
