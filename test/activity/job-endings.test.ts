import { describe, expect, it } from 'vitest';
import { layout, roundFile } from '../../batch/layout.js';
import { Bench, failureOf } from '../support/activity-env.js';
import { BATCH, collectInput, createInput, ENDPOINT, MODEL, rows } from '../support/activity-inputs.js';
import type { Wire } from '../support/activity-inputs.js';
import { endedJob } from '../support/ended-job.js';

const LINE_FEEDS = { type: 'lineEndings', crlf: false, blankLines: false };
const RESULTS = layout.results(BATCH);

describe('a job at the provider', () => {
  it.each([
    ['all rows answered', [], 'SUCCESS', { succeeded: 10 }],
    ['all rows failed', [{ type: 'rowErrors', share: 1, status: 422 }], 'SUCCESS', { failed: 10 }],
    [
      'failures in the output file',
      [{ type: 'rowErrors', count: 3, status: 422 }, { type: 'failuresInOutput' }],
      'SUCCESS',
      { succeeded: 7, failed: 3 },
    ],
    [
      'failures as objects',
      [{ type: 'rowErrors', count: 3, status: 429, form: 'object' }],
      'SUCCESS',
      { succeeded: 7, failed: 3 },
    ],
    [
      'failures as strings',
      [{ type: 'rowErrors', count: 3, form: 'string' }],
      'SUCCESS',
      { succeeded: 7, failed: 3 },
    ],
    ['CRLF and blank lines', [{ type: 'lineEndings' }], 'SUCCESS', { succeeded: 10 }],
    [
      'no last line end in either file',
      [
        { ...LINE_FEEDS, lastLineEnd: false },
        { type: 'rowErrors', count: 3, status: 422 },
      ],
      'SUCCESS',
      { succeeded: 7, failed: 3 },
    ],
    [
      'CRLF, blank lines and no last line end',
      [{ type: 'lineEndings', lastLineEnd: false }],
      'SUCCESS',
      { succeeded: 10 },
    ],
    ['lines twice', [{ type: 'duplicateRows', count: 4, differing: true }], 'SUCCESS', { succeeded: 10 }],
    ['lines of nobody', [{ type: 'unknownRows', customIds: ['x', 'y'] }], 'SUCCESS', { succeeded: 10 }],
    ['lines cut off', [{ type: 'malformedLines', count: 2 }], 'SUCCESS', { succeeded: 8, missing: 2 }],
    [
      'a timeout half way',
      [{ type: 'jobOutcome', status: 'TIMEOUT_EXCEEDED', share: 0.5 }],
      'TIMEOUT_EXCEEDED',
      { succeeded: 5, expired: 5 },
    ],
    [
      'a timeout before the first row',
      [{ type: 'jobOutcome', status: 'TIMEOUT_EXCEEDED' }],
      'TIMEOUT_EXCEEDED',
      { expired: 10 },
    ],
    [
      'a failure half way',
      [{ type: 'jobOutcome', status: 'FAILED', share: 0.5 }],
      'FAILED',
      { succeeded: 5, missing: 5 },
    ],
    ['a failure before the first row', [{ type: 'jobOutcome', status: 'FAILED' }], 'FAILED', { failed: 10 }],
    [
      'a cancel by somebody else',
      [{ type: 'jobOutcome', status: 'CANCELLED', share: 0.2 }],
      'CANCELLED',
      { succeeded: 2, cancelled: 8 },
    ],
  ] as const)('may end with %s', async (_, faults, status, classes) => {
    const { collect, bench } = await endedJob(faults);
    const { ended, sums } = await collect();
    expect(ended.status).toBe(status);
    expect(sums.rows).toMatchObject({ total: 10, ...classes });
    await bench.assemble();
    const results = await bench.lines(RESULTS);
    expect(results.map((line) => line['custom_id'])).toEqual(Array.from({ length: 10 }, (__, n) => `r${n}`));
  });

  it('may count rows that its files lack; they are looked for again before they are bought again', async () => {
    const { bench, collect } = await endedJob([{ type: 'missingRows', count: 3 }]);
    expect((await collect()).sums).toMatchObject({ retryable: 3, rows: { succeeded: 7, missing: 3 } });
    expect(await bench.requests('fileContent')).toHaveLength(3);
  });

  it('may say of a row that it neither succeeded nor failed', async () => {
    const { bench, collect } = await endedJob([{ type: 'rowErrors', count: 2, form: 'empty' }]);
    expect((await collect()).sums).toMatchObject({ retryable: 2, rows: { succeeded: 8, failed: 2 } });
    await bench.assemble();
    const [first, second, third] = await bench.lines(RESULTS);
    for (const line of [first, second]) {
      expect(line).toMatchObject({ response: null, error: { type: 'malformed' }, round: 1 });
    }
    expect(third).toMatchObject({ error: null });
  });

  it('may count wrongly', async () => {
    const { bench, collect } = await endedJob([]);
    await bench.setFaults({ route: 'getJob', fault: { type: 'wrongCounters' } });
    expect((await collect()).sums.rows).toMatchObject({ succeeded: 10 });
  });

  it('may have no room in a quota, which it says in its own errors', async () => {
    const errors = [{ message: 'Too many pending requests for this workspace' }];
    const { collect } = await endedJob([{ type: 'jobOutcome', status: 'FAILED', errors }]);
    expect((await collect()).sums).toMatchObject({ quota: true, retryable: 10 });
  });

  it('may lose its output before it is collected', async () => {
    const { bench, jobId, collect } = await endedJob([], { emulator: { resultRetentionSeconds: 60 } });
    const ended = await bench.ended(jobId);
    expect(ended.phase).toBe('succeeded');
    bench.clock.advance(120_000);
    for (const attempt of [1, 2]) {
      expect(await failureOf(collect({}, attempt, attempt - 1))).toMatchObject({ nextRetryDelay: 2_000 });
    }
    expect((await collect({}, 3, 2)).sums).toMatchObject({
      answered: 0,
      retryable: 0,
      rows: { missing: 10 },
    });
    expect(await bench.lines(roundFile.answers(layout.round(BATCH, 0, 1)))).toMatchObject([
      { error: 'output_gone' },
      ...Array<Wire>(9).fill({}),
    ]);
  });

  it('may have files that are slow to show', async () => {
    const { bench, jobId, open } = await endedJob([]);
    const job = { ...(await bench.ended(jobId)), completedAt: bench.clock.now() };
    const collect = (attempt: number) => bench.run('collect', collectInput(open, job), { attempt });
    const fault = { type: 'status', status: 404 };
    await bench.setFaults({ route: ['getFile', 'fileContent'], nth: [1, 3], fault });
    for (const attempt of [1, 2]) {
      const failure = await failureOf(collect(attempt));
      expect(failure).toMatchObject({ type: 'ProviderUnavailable', nextRetryDelay: 10_000 });
    }
    expect((await collect(3)).rows).toMatchObject({ succeeded: 10 });
  });

  it('may be deleted when it has ended: what it answered counts', async () => {
    for (const share of [0, 0.5]) {
      const { bench, jobId, open } = await endedJob([{ type: 'jobOutcome', status: 'FAILED', share }]);
      const ended = await bench.ended(jobId);
      await bench.provider.deleteJob(jobId, {});
      const { rows: counts } = await bench.run('collect', collectInput(open, ended));
      expect(counts).toMatchObject(share === 0 ? { failed: 10 } : { succeeded: 5, missing: 5 });
    }
  });

  it('may fail half way, and its words are kept', async () => {
    const errors = [{ message: 'The model is gone', count: 5 }];
    const { bench, collect } = await endedJob([{ type: 'jobOutcome', status: 'FAILED', share: 0.5, errors }]);
    expect((await collect()).sums).toMatchObject({ failure: null, rows: { succeeded: 5, missing: 5 } });
    const account = await bench.json(roundFile.account(layout.round(BATCH, 0, 1)));
    expect(account['jobErrors']).toEqual(errors);
  });

  it('may be deleted', async () => {
    const { bench, jobId, open } = await endedJob([]);
    const seen = await bench.run('getJob', { jobId });
    await bench.provider.deleteJob(jobId, {});
    expect(await failureOf(bench.run('getJob', { jobId }))).toMatchObject({ type: 'ProviderNotFound' });
    const sums = await bench.run('collect', collectInput(open, seen, { deleted: true }));
    expect(sums.rows).toMatchObject({ missing: 10 });
  });

  it('answers alike whether it was disturbed or not', async () => {
    const texts = [];
    for (const disturbed of [false, true]) {
      const { bench, collect } = await endedJob([]);
      if (disturbed)
        await bench.setFaults({ route: 'fileContent', nth: 1, fault: { type: 'reset', when: 'after' } });
      if (disturbed) await failureOf(collect());
      await collect({}, 2);
      await bench.assemble();
      texts.push(await bench.text(RESULTS));
    }
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('cancelling a job', () => {
  it('is asked for once and may be asked for again', async () => {
    const { bench, jobId, collect } = await endedJob([]);
    bench.clock.advance(50_000);
    expect(await bench.run('cancelJob', { jobId })).toMatchObject({ phase: 'cancelling' });
    expect(await bench.run('cancelJob', { jobId })).toMatchObject({ jobId });
    const { sums } = await collect();
    expect(sums.rows.succeeded + sums.rows.cancelled).toBe(10);
    expect(await bench.run('cancelJob', { jobId })).toMatchObject({ phase: 'cancelled' });
  });

  it('may lose the race', async () => {
    const { bench, jobId, collect } = await endedJob([{ type: 'cancelRace' }]);
    await bench.run('cancelJob', { jobId });
    expect((await collect()).sums.rows).toMatchObject({ succeeded: 10 });
  });

  it('at the deadline makes the rest expired', async () => {
    const { bench, jobId, collect } = await endedJob([{ type: 'stuckQueued' }]);
    await bench.run('cancelJob', { jobId });
    expect((await collect({ deadlinePassed: true })).sums).toMatchObject({
      retryable: 0,
      rows: { expired: 10 },
    });
  });

  it('of a job that is gone fails as not found', async () => {
    const { bench, jobId } = await endedJob([]);
    await bench.provider.deleteJob(jobId, {});
    expect(await failureOf(bench.run('cancelJob', { jobId }))).toMatchObject({ type: 'ProviderNotFound' });
  });
});

describe('looking at a job', () => {
  it('tells an unknown status from an end', async () => {
    const { bench, jobId } = await endedJob([]);
    await bench.setFaults({ route: 'getJob', fault: { type: 'unknownStatus', status: 'PAUSED' } });
    expect(await bench.run('getJob', { jobId })).toMatchObject({ phase: 'unknown', status: 'PAUSED' });
  });

  it.each([
    [401, 'ProviderAuth', true],
    [403, 'ProviderForbidden', true],
    [429, 'ProviderRateLimited', false],
    [503, 'ProviderUnavailable', false],
  ])('fails with %i as %s', async (status, type, nonRetryable) => {
    const { bench, jobId } = await endedJob([]);
    await bench.setFaults({ route: '*', fault: { type: 'status', status } });
    const details = [{ status, batchHasJob: nonRetryable }];
    expect(await failureOf(bench.run('getJob', { jobId }))).toMatchObject({ type, nonRetryable, details });
    expect(await failureOf(bench.run('cancelJob', { jobId }))).toMatchObject({ type, nonRetryable });
    expect(await failureOf(bench.run('checkAccount', {}))).toMatchObject({ type, nonRetryable });
  });

  it('shows no more than references and counts', async () => {
    const { bench, jobId } = await endedJob([]);
    const ended = await bench.ended(jobId);
    expect(Object.keys(ended).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'completedAt',
      'counts',
      'createdAt',
      'errorFile',
      'jobId',
      'outputFile',
      'phase',
      'status',
    ]);
  });
});

describe('checking the account', () => {
  it('takes one list call', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(1));
    expect(await bench.run('checkAccount', {})).toEqual({});
    expect((await bench.requests()).map(({ route }) => route)).toEqual(['listJobs']);
  });
});

describe('cleaning up', () => {
  const filesLeft = async (bench: Bench) => {
    const left: string[] = [];
    for await (const { id } of bench.provider.listFiles({}, {})) left.push(id);
    return left;
  };

  it.each([
    ['input', 2],
    ['all', 0],
  ] as const)('removes %s files, of closed rounds, and no job', async (cleanup, left) => {
    const { bench, collect } = await endedJob([{ type: 'rowErrors', count: 1, status: 422 }]);
    await collect();
    expect(await filesLeft(bench)).toHaveLength(3);
    expect(await bench.run('cleanup', { cleanup })).toEqual({});
    expect(await filesLeft(bench)).toHaveLength(left);
    // What is gone is what was wanted.
    expect(await bench.run('cleanup', { cleanup })).toEqual({});
    expect(await bench.requests('deleteJob')).toEqual([]);
    expect(await bench.jobs()).toHaveLength(1);
  });

  it('leaves the files of a job that still runs', async () => {
    const { bench } = await endedJob([]);
    await bench.run('cleanup', { cleanup: 'all' });
    expect(await filesLeft(bench)).toHaveLength(1);
  });

  /** A batch whose only round has its input at the provider and these creates; it has ended, unless told otherwise. */
  async function withCreates(creates: readonly { readonly fault: Wire | null }[], ended = true) {
    const bench = await Bench.start();
    await bench.prepare(rows(3));
    const open = await bench.begin();
    const input = createInput({ key: open.key, fileId: await bench.upload(open) });
    for (const { fault } of creates) {
      if (fault !== null) await bench.setFaults({ route: 'createJob', fault });
      await bench.run('createJob', input).catch(() => undefined);
      await bench.clearFaults();
      bench.clock.advance(600_000);
    }
    const outcome = { outcome: 'failed', failure: { type: 'ProviderRejected', message: 'no' } } as const;
    if (ended) await bench.assemble(outcome);
    return { bench, key: open.key, fileId: input.fileId };
  }

  const REFUSED = { fault: { type: 'status', status: 422 } };
  const UNANSWERED = { fault: { type: 'reset' } };

  it.each(['input', 'all'] as const)(
    'with %s, removes the input of a round whose every create was refused',
    async (cleanup) => {
      const { bench } = await withCreates([{ fault: { type: 'status', status: 429 } }, REFUSED]);
      const folder = layout.round(BATCH, 0, 1);
      expect(await bench.json(roundFile.refused(folder, 2))).toMatchObject({ type: 'ProviderRejected' });
      expect(await filesLeft(bench)).toHaveLength(1);
      await bench.run('cleanup', { cleanup });
      expect(await filesLeft(bench)).toEqual([]);
      expect(await bench.run('cleanup', { cleanup })).toEqual({});
    },
  );

  it('removes the input of a round that was refused and then given up by a cancel', async () => {
    const { bench, key } = await withCreates([REFUSED]);
    await bench.run('findJob', { shard: 0, round: 1, key, relist: false, closes: 'run-1' });
    await bench.run('cleanup', { cleanup: 'input' });
    expect(await filesLeft(bench)).toEqual([]);
  });

  it.each([
    ['that had no answer', [UNANSWERED]],
    ['that had no answer, before one that was refused', [UNANSWERED, REFUSED]],
    ['that had no answer, after one that was refused', [REFUSED, UNANSWERED]],
    ['that has made a job', [REFUSED, { fault: null }]],
  ])('leaves the input of a round with a create %s', async (_, creates) => {
    const { bench, fileId } = await withCreates(creates);
    await bench.run('cleanup', { cleanup: 'all' });
    expect(await filesLeft(bench)).toContain(fileId);
  });

  it('leaves the input of a refused round that another store has a job for', async () => {
    const { bench, key, fileId } = await withCreates([REFUSED]);
    const metadata = { longhaul_key: key };
    await bench.provider.createJob(
      { fileId, endpoint: ENDPOINT, model: MODEL, timeoutHours: 24, metadata },
      {},
    );
    await bench.run('cleanup', { cleanup: 'all' });
    expect(await filesLeft(bench)).toEqual([fileId]);
  });

  it('leaves the input of a refused round that a new run goes on with', async () => {
    const { bench, fileId } = await withCreates([REFUSED], false);
    await bench.run('cleanup', { cleanup: 'all' });
    expect(await filesLeft(bench)).toEqual([fileId]);
  });
});
