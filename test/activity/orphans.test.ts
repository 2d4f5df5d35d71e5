import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { layout, roundFile } from '../../batch/layout.js';
import { inputFileName } from '../../batch/orphans.js';
import { OrphanFix } from '../../cli/orphan-fix.js';
import { OrphanLedger, readLedger } from '../../cli/orphan-ledger.js';
import { textReport } from '../../cli/orphan-report.js';
import { OrphanSearch } from '../../cli/orphan-search.js';
import type { OrphanFile, OrphanJob } from '../../cli/orphan-search.js';
import { walkOrphans } from '../../cli/orphan-walk.js';
import { Bench } from '../support/activity-env.js';
import { BATCH, ENDPOINT, MODEL, collectInput, rows } from '../support/activity-inputs.js';
import { remoteJob } from '../support/create-world.js';
import { scriptedProvider } from '../support/scripted-provider.js';

const RUN = '11111111-1111-4111-8111-111111111111';
const FOLDER = layout.round(BATCH, 0, 1);

interface Search {
  readonly open?: readonly string[];
  readonly named?: readonly string[];
}

/** A batch with one round begun, and a look at the account from its store. */
async function begun() {
  const bench = await Bench.start({ emulator: { jobSeconds: 60 } });
  await bench.prepare(rows(2));
  const open = await bench.begin();
  return {
    bench,
    open,
    /** A job as anybody's Longhaul could have made it. */
    make: async (metadata: Readonly<Record<string, string>>, fileId?: string) =>
      bench.provider.createJob(
        {
          fileId: fileId ?? (await bench.upload(open)),
          endpoint: ENDPOINT,
          model: MODEL,
          timeoutHours: 24,
          metadata,
        },
        {},
      ),
    file: (name: string) => bench.provider.uploadFile({ name, bytes: 3, open: () => bytesOf('{}\n') }, {}),
    search: async ({ open: openIds = [], named = [] }: Search = {}) => {
      const search = new OrphanSearch({
        provider: bench.provider,
        ledger: await readLedger(bench.store),
        runs: {
          isOpen: async (batchId) => openIds.includes(batchId),
          knowsRun: async (_, run) => run === RUN,
        },
        named,
      });
      const jobs: OrphanJob[] = [];
      for await (const job of search.jobs()) jobs.push(job);
      const files: OrphanFile[] = [];
      for await (const file of search.files()) files.push(file);
      return { jobs, files };
    },
  };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const key = (digit: string) => digit.repeat(64);
const keys = (id: string, more = {}) => ({
  longhaul_key: id,
  longhaul_batch: BATCH,
  longhaul_run: RUN,
  ...more,
});

describe('what a batch of the store owns', () => {
  it('is no orphan: from the upload on, while its job runs, and when its round is closed', async () => {
    const { bench, open, search } = await begun();
    const none = { jobs: [], files: [] };
    await bench.upload(open);
    expect(await search()).toEqual(none);
    const { job } = await bench.submit();
    expect(await search()).toEqual(none);
    const ended = await bench.ended(job.jobId);
    await bench.run('collect', collectInput(open, ended));
    expect(await search()).toEqual(none);
    await bench.store.remove(roundFile.job(FOLDER));
    expect(await search()).toEqual(none);
  });

  it('does not cover what has no key: other people’s jobs and files are never listed', async () => {
    const { make, file, search } = await begun();
    const other = await file('notes.jsonl');
    await make({ team: 'red' }, other.id);
    expect(await search({ named: [] })).toEqual({ jobs: [], files: [] });
  });
});

describe('a job with a key of the store', () => {
  it('is a duplicate when its round keeps another one, until it has ended and is listed', async () => {
    const { bench, open, make, search } = await begun();
    const { job } = await bench.submit();
    const second = await make(keys(open.key));
    expect((await search()).jobs).toMatchObject([
      { jobId: second.id, reason: 'duplicate', action: 'cancel' },
    ]);
    const ended = await bench.ended(job.jobId);
    const duplicates = [
      { jobId: second.id, status: 'RUNNING', createdAt: '2026-11-22T12:00:00.000Z', requests: 2 },
    ];
    await bench.run('collect', collectInput(open, ended, { duplicates }));
    expect((await search()).jobs).toEqual([]);
  });

  it('is unrecorded when nobody heard of it, which the same command would put right', async () => {
    const { open, make, search } = await begun();
    const job = await make(keys(open.key));
    expect((await search()).jobs).toMatchObject([{ jobId: job.id, reason: 'unrecorded', action: 'cancel' }]);
  });

  it('is left alone while its batch is open', async () => {
    const { open, make, search } = await begun();
    await make(keys(open.key));
    for (const named of [[], [BATCH]]) {
      expect((await search({ open: [BATCH], named })).jobs).toMatchObject([{ action: 'keep-open' }]);
    }
  });

  it('is left alone when another Temporal’s run made it: the same input elsewhere has the same id', async () => {
    const { open, make, search } = await begun();
    await make(keys(open.key, { longhaul_run: '22222222-2222-4222-8222-222222222222' }));
    expect((await search()).jobs).toMatchObject([{ action: 'keep-foreign' }]);
    expect((await search({ named: [BATCH] })).jobs).toMatchObject([{ action: 'cancel' }]);
  });
});

describe('a job of another batch', () => {
  it('is listed and left alone, unless its batch is named', async () => {
    const { make, search } = await begun();
    const job = await make(keys(key('c'), { longhaul_batch: 'colleague' }));
    expect((await search()).jobs).toEqual([
      {
        jobId: job.id,
        status: 'QUEUED',
        createdAt: new Date(job.createdAt).toISOString(),
        batchId: 'colleague',
        key: key('c'),
        reason: 'unknown-batch',
        action: 'keep-foreign',
      },
    ]);
    expect((await search({ named: ['colleague'] })).jobs).toMatchObject([{ action: 'cancel' }]);
    expect(await search({ named: ['somebody'] })).toEqual({ jobs: [], files: [] });
  });

  it('of which nothing says whose it is, is never touched', async () => {
    const { make, search } = await begun();
    await make({ longhaul_key: key('d') });
    expect((await search()).jobs).toMatchObject([{ reason: 'unknown-owner', action: 'keep-foreign' }]);
  });

  it('is never cancelled when it has ended', async () => {
    const { bench, make, search } = await begun();
    const job = await make(keys(key('e')));
    await bench.ended(job.id);
    expect((await search({ named: [BATCH] })).jobs).toMatchObject([
      { reason: 'unknown-round', action: 'none' },
    ]);
  });
});

describe('a file with a key', () => {
  it('goes with the job that reads it: kept while that runs, deleted when it has ended', async () => {
    const { bench, make, file, search } = await begun();
    const input = await file(inputFileName(key('c')));
    const job = await make(keys(key('c')), input.id);
    expect((await search()).files).toMatchObject([{ fileId: input.id, action: 'keep-in-use' }]);
    await bench.ended(job.id);
    expect((await search()).files).toMatchObject([{ fileId: input.id, action: 'delete' }]);
    expect((await search({ open: [BATCH] })).jobs).toMatchObject([{ action: 'none' }]);
  });

  it('is of the batch that a job with its key names, although the store has no such batch', async () => {
    const { bench, make, file, search } = await begun();
    const input = await file(inputFileName(key('c')));
    const job = await make(keys(key('c'), { longhaul_batch: 'colleague' }), input.id);
    await bench.ended(job.id);
    expect((await search()).files).toMatchObject([
      { fileId: input.id, batchId: 'colleague', reason: 'unknown-batch', action: 'keep-foreign' },
    ]);
    expect((await search({ named: ['colleague'] })).files).toMatchObject([{ action: 'delete' }]);
  });

  it('whose batch the store has, without a round of its key, is kept while that batch is open', async () => {
    const { bench, make, file, search } = await begun();
    const input = await file(inputFileName(key('c')));
    const job = await make(keys(key('c')), input.id);
    await bench.ended(job.id);
    expect((await search({ open: [BATCH] })).files).toMatchObject([
      { batchId: BATCH, reason: 'unknown-round', action: 'keep-open' },
    ]);
  });

  it('that no job reads may be about to be used by another store: it is left alone', async () => {
    const { file, search } = await begun();
    const input = await file(inputFileName(key('c')));
    expect((await search()).files).toEqual([
      {
        fileId: input.id,
        name: inputFileName(key('c')),
        bytes: 3,
        batchId: null,
        reason: 'unknown-owner',
        action: 'keep-foreign',
      },
    ]);
  });

  it('is a second copy when its round’s job reads another one; --batch makes it ours', async () => {
    const { bench, open, file, search } = await begun();
    await bench.submit();
    const copy = await file(inputFileName(open.key));
    expect((await search()).files).toMatchObject([
      { fileId: copy.id, reason: 'duplicate', action: 'keep-foreign' },
    ]);
    expect((await search({ named: [BATCH] })).files).toMatchObject([{ fileId: copy.id, action: 'delete' }]);
    expect((await search({ named: [BATCH], open: [BATCH] })).files).toMatchObject([{ action: 'keep-open' }]);
  });
});

it('every page of a large account is looked at', async () => {
  const { file, make, search } = await begun();
  const input = await file('notes.jsonl');
  for (let n = 0; n < 120; n += 1) await make(keys(key('a').slice(3) + String(n).padStart(3, '0')), input.id);
  for (let n = 0; n < 120; n += 1) await file(inputFileName(key('b').slice(3) + String(n).padStart(3, '0')));
  const { jobs, files } = await search();
  expect([jobs.length, files.length]).toEqual([120, 120]);
});

/** Bytes that live objects and buffers take, without what waits for the collector. */
function inUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

it(
  'an account of 100,000 running jobs and their files takes a few megabytes',
  { timeout: 120_000 },
  async () => {
    const COUNT = 100_000;
    const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    const provider = scriptedProvider({
      listJobs: async function* () {
        for (let n = 0; n < COUNT; n += 1) {
          const metadata = { longhaul_key: String(n).padStart(64, '0'), longhaul_batch: `batch-${n}` };
          yield remoteJob(id(n), 1, { fileId: id(n), metadata });
        }
      },
      listFiles: async function* () {
        for (let n = 0; n < COUNT; n += 1) {
          const name = inputFileName(String(n).padStart(64, '0'));
          yield { id: id(n), name, bytes: 1, lines: 1, createdAt: 1 };
        }
      },
    });
    const runs = { isOpen: async () => false, knowsRun: async () => false };
    const search = new OrphanSearch({ provider, ledger: new OrphanLedger(), runs, named: [] });
    const before = inUse();
    let most = 0;
    let seen = 0;
    const sample = () => {
      seen += 1;
      if (seen % (COUNT / 2) === 0) most = Math.max(most, inUse() - before);
    };
    for await (const _job of search.jobs()) sample();
    for await (const _file of search.files()) sample();
    expect(seen).toBe(2 * COUNT);
    // Kept as objects they would take over 100 MB.
    expect(most).toBeLessThan(60_000_000);
  },
);

describe('what a batch has put on record since the store was read', () => {
  it('is neither cancelled nor deleted, though no run of the batch is open any more', async () => {
    const { bench } = await begun();
    const ledger = await readLedger(bench.store);
    // The batch goes on, and its run ends with the job alive: it was terminated by hand.
    const { job } = await bench.submit();
    const runs = { isOpen: async () => false, knowsRun: async () => true };
    const { provider, store } = bench;
    const fix = new OrphanFix({ provider, runs, store, acts: true });
    const said: string[] = [];
    const report = textReport({ line: (text) => void said.push(text), note: () => undefined });
    await walkOrphans(new OrphanSearch({ provider, ledger, runs, named: [] }), fix, report);
    expect(fix).toMatchObject({ cancels: 0, deletes: 0, failures: 0 });
    expect(said.join()).toContain('kept, its batch has it on record by now');
    expect((await provider.getJob(job.jobId, {})).phase).toMatch(/pending|running/);
  });
});
