import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import { MEMO } from '../../batch/wire-names.js';
import type { EmbeddedSession } from '../../dev/embedded.js';
import { cancelSignal, cancelUpdate } from '../../workflows/messages.js';
import { holdHome } from '../support/e2e-embedded.js';
import { E2eHome } from '../support/e2e-home.js';
import { answerOf, parseResults, questions, quoteOf, writeRows } from '../support/e2e-rows.js';
import { E2eTemporal, summarySchema } from '../support/e2e-temporal.js';

const ROWS = questions(200);
/** Long enough to be cancelled in the middle: rows are answered in step with time. */
const JOB_SECONDS = 60;
/** So few events that a shard continues as new before each of its polls. */
const MAX_HISTORY = 10;

let home: E2eHome;
let session: EmbeddedSession;
let temporal: E2eTemporal;
let input: string;

beforeAll(async () => {
  home = await E2eHome.create({ emulator: { jobSeconds: JOB_SECONDS } });
  home.env['LONGHAUL_FILE_ROOTS'] = home.folder;
  input = await writeRows(join(home.folder, 'questions.jsonl'), ROWS);
  session = await holdHome(home);
  temporal = await E2eTemporal.connect(session.address, session.namespace);
});

afterAll(async () => {
  await temporal.close();
  await session.close();
  await home.remove();
});

type Moment = 'before' | 'after';

/** A batch whose job has answered some of its rows, and whose shard has continued as new or has not. */
async function halfAnswered(batchId: string, moment: Moment): Promise<WorkflowHandle> {
  const handle = await temporal.startBatch(
    batchId,
    input,
    moment === 'after' ? { maxHistory: MAX_HISTORY } : {},
  );
  await vi.waitFor(
    async () => {
      const [job] = await home.emulator.jobs(batchId);
      expect(job?.completed_requests).toBeGreaterThan(0);
      expect(await temporal.hasContinuedAsNew(batchId)).toBe(moment === 'after');
    },
    { timeout: 60_000, interval: 200 },
  );
  return handle;
}

/** The provider's one job of the batch, cancelled by one request. */
async function expectCancelledOnce(batchId: string): Promise<void> {
  const [job, ...others] = await home.emulator.jobs(batchId);
  expect(others).toEqual([]);
  expect(job?.status).toBe('CANCELLED');
  const cancels = (await home.emulator.journal('cancelJob')).filter(({ path }) =>
    path.includes(job?.id ?? '?'),
  );
  expect(cancels).toMatchObject([{ status: 200, effect: { cancelled: job?.id } }]);
}

async function expectPartialResults(batchId: string): Promise<void> {
  const manifest = await home.manifest(batchId);
  const { rows } = manifest;
  expect(manifest).toMatchObject({ outcome: 'cancelled', jobs: [{ status: 'CANCELLED', requests: 200 }] });
  expect(rows.succeeded).toBeGreaterThan(0);
  expect(rows).toMatchObject({ total: 200, cancelled: 200 - rows.succeeded });
  const results = parseResults(await home.results(batchId));
  expect(results.map(({ custom_id }) => custom_id)).toEqual(ROWS.map(({ custom_id }) => custom_id));
  const answered = results.filter(({ error }) => error === null);
  expect(answered).toHaveLength(rows.succeeded);
  const quotes = new Map(ROWS.map((row) => [row.custom_id, quoteOf(row)]));
  for (const result of answered) expect(answerOf(result)).toContain(quotes.get(result.custom_id ?? ''));
  const others = results.filter(({ error }) => error !== null);
  expect(new Set(others.map(({ error }) => error?.type))).toEqual(new Set(['cancelled']));
}

interface Way {
  readonly name: string;
  readonly status: 'COMPLETED' | 'CANCELLED';
  readonly cancel: (handle: WorkflowHandle) => Promise<unknown>;
}

const WAYS: readonly Way[] = [
  {
    name: 'signal',
    status: 'COMPLETED',
    cancel: (handle) => handle.signal(cancelSignal, { reason: 'wrong prompt' }),
  },
  {
    name: 'update',
    status: 'COMPLETED',
    cancel: (handle) => handle.executeUpdate(cancelUpdate, { args: [{ mode: 'keep' }] }),
  },
  { name: 'cancel request', status: 'CANCELLED', cancel: (handle) => handle.cancel() },
  {
    name: '`longhaul cancel`',
    status: 'COMPLETED',
    cancel: (handle) => home.longhaul('cancel', handle.workflowId).exits(0),
  },
];

const CASES = WAYS.flatMap((way, index) =>
  (['before', 'after'] as const).map((moment) => ({ ...way, moment, batchId: `by-${index}-${moment}` })),
);

describe.concurrent('a batch that is cancelled', () => {
  for (const { name, batchId, moment, cancel, status } of CASES) {
    test(`by ${name}, ${moment} its shard continued as new, keeps what was answered and cancels its job once`, async () => {
      const handle = await halfAnswered(batchId, moment);
      await cancel(handle);
      const result = await handle.result().catch((error: unknown) => error);
      const description = await handle.describe();
      expect(description.status.name).toBe(status);
      const summary = summarySchema.parse(status === 'COMPLETED' ? result : description.memo?.[MEMO.summary]);
      const manifest = await home.manifest(batchId);
      expect(summary).toMatchObject({ outcome: 'cancelled', rows: manifest.rows });
      await expectPartialResults(batchId);
      await expectCancelledOnce(batchId);
    });
  }

  test('with discard is not waited for and not collected', async () => {
    const batchId = 'discarded';
    const handle = await halfAnswered(batchId, 'before');
    await handle.executeUpdate(cancelUpdate, { args: [{ mode: 'discard', reason: 'not wanted' }] });
    expect(summarySchema.parse(await handle.result())).toMatchObject({ outcome: 'cancelled' });
    expect((await home.manifest(batchId)).rows).toMatchObject({ total: 200, succeeded: 0, cancelled: 200 });
    expect(new Set(parseResults(await home.results(batchId)).map(({ error }) => error?.type))).toEqual(
      new Set(['cancelled']),
    );
    await vi.waitFor(() => expectCancelledOnce(batchId), { timeout: 5_000 });
    const [job] = await home.emulator.jobs(batchId);
    const downloads = (await home.emulator.journal('fileContent')).map(({ path }) => path);
    expect(downloads.filter((path) => path.includes(job?.output_file ?? 'no file'))).toEqual([]);
  });

  test('too late has succeeded', async () => {
    const batchId = 'too-late';
    await home.emulator.setFaults(
      ...[{ type: 'cancelRace' }, { type: 'jobSeconds', seconds: 5 }].map((fault) => ({
        route: 'createJob',
        match: { metadata: { longhaul_batch: batchId } },
        fault,
      })),
    );
    const handle = await halfAnswered(batchId, 'before');
    await handle.signal(cancelSignal, {});
    expect(summarySchema.parse(await handle.result())).toMatchObject({ outcome: 'succeeded' });
    expect((await home.manifest(batchId)).rows).toMatchObject({ total: 200, succeeded: 200 });
    expect(await home.emulator.jobs(batchId)).toMatchObject([{ status: 'SUCCESS' }]);
  });
});
