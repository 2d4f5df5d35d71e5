import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { NO_ROWS } from '../../batch/rows.js';
import { errorLineSchema, resultLineSchema } from '../../schemas/result-line.js';
import { attemptOf, Bench, failureOf, runActivity } from '../support/activity-env.js';
import { assembleInput, BATCH, jsonl, row, rows } from '../support/activity-inputs.js';
import { answer, failed, fileOf, ScriptedRound } from '../support/scripted-round.js';
import { hookedStore } from '../support/store-hooks.js';

const RESULTS = layout.results(BATCH);
const ERRORS = layout.errors(BATCH);
const MANIFEST = layout.manifest(BATCH);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const AUTH = { type: 'ProviderAuth', message: 'no key' } as const;

describe('results', () => {
  it('have one line per row in the order of the input, invalid ones in their place', async () => {
    const input = jsonl([{}, row('a'), row('a'), row(null), [], row('b'), row('c'), '"x"']);
    const round = await ScriptedRound.begin(input, { onInvalid: 'skip', shardRows: 2 });
    await round.collect({ output: fileOf(answer('longhaul-3'), failed('a', 'no')) });
    const summary = await round.bench.assemble({ unanswered: 'cancelled', cancelled: true });
    const results = await round.bench.lines(RESULTS);
    const shown = results.map((line) => {
      const { custom_id, error, round: number } = resultLineSchema.parse(line);
      return [custom_id, error?.type ?? null, number];
    });
    expect(shown).toEqual([
      [null, 'invalid_row', 0],
      ['a', 'provider_error', 1],
      ['a', 'invalid_row', 0],
      [null, null, 1],
      [null, 'invalid_row', 0],
      ['b', 'cancelled', 0],
      ['c', 'cancelled', 0],
      [null, 'invalid_row', 0],
    ]);
    expect(summary.rows).toEqual({
      total: 8,
      succeeded: 1,
      failed: 1,
      invalid: 4,
      cancelled: 2,
      expired: 0,
      missing: 0,
    });
    const errors = (await round.bench.lines(ERRORS)).map((line) => errorLineSchema.parse(line));
    expect(errors.map(({ line }) => line)).toEqual([1, 2, 3, 5, 6, 7, 8]);
    expect(errors).toEqual(
      results.flatMap((line, index) => (line['error'] === null ? [] : [{ ...line, line: index + 1 }])),
    );
  });

  it('are of a cancelled batch only while something is left to do', async () => {
    const finished = await ScriptedRound.begin(rows(2));
    await finished.collect({ output: fileOf(answer('r0'), answer('r1', 'no such thing', 404)) });
    expect((await finished.bench.assemble({ cancelled: true })).outcome).toBe('partial');
    const busy = await ScriptedRound.begin(rows(2));
    await busy.collect({ output: fileOf(answer('r0'), answer('r1', 'too busy', 503)) });
    expect((await busy.bench.assemble({ cancelled: true })).outcome).toBe('cancelled');
  });

  it('say what became of shards that never ran, each as its own account says', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(3), { shardRows: 1 });
    const unansweredShards = [
      { error: 'job_failed', shards: [0] },
      { error: 'expired', shards: [2] },
    ] as const;
    await bench.assemble({ unanswered: 'missing', unansweredShards });
    const types = (await bench.lines(RESULTS)).map(({ error, round }) => [error, round]);
    expect(types).toMatchObject([
      [{ type: 'job_failed' }, 0],
      [{ type: 'missing' }, 0],
      [{ type: 'expired' }, 0],
    ]);
  });

  it('have the last word of several rounds', async () => {
    const bench = await Bench.start({ emulator: { jobSeconds: 1 } });
    const rules = [
      { customIds: ['r1'], attempts: 1, status: 500 },
      { customIds: ['r2'], status: 503 },
      { customIds: ['r3'], status: 422 },
    ];
    await bench.setFaults(
      ...rules.map(({ customIds, ...more }) => ({
        route: 'createJob',
        fault: { type: 'rowErrors', customIds, ...more },
      })),
    );
    await bench.prepare(rows(5));
    const first = await bench.round();
    expect(first.sums).toMatchObject({ retryable: 2, rows: { succeeded: 2, failed: 3 } });
    const second = await bench.round({ round: 2, mode: { kind: 'normal', rebuyLost: false, finalFrom: 1 } });
    expect(second.sums).toMatchObject({ retryable: 1, rows: { total: 2, succeeded: 1, failed: 1 } });
    const summary = await bench.assemble();
    expect(summary).toMatchObject({
      outcome: 'partial',
      jobs: 2,
      rows: { total: 5, succeeded: 3, failed: 2 },
    });
    const rounds = (await bench.lines(RESULTS)).map(({ custom_id, round }) => [custom_id, round]);
    expect(rounds).toEqual([
      ['r0', 1],
      ['r1', 2],
      ['r2', 2],
      ['r3', 1],
      ['r4', 1],
    ]);
    const manifest = await bench.json(MANIFEST);
    expect(manifest['jobs']).toMatchObject([
      { shard: 0, round: 1, jobId: first.job.jobId, status: 'SUCCESS', requests: 5, succeeded: 2, failed: 3 },
      {
        shard: 0,
        round: 2,
        jobId: second.job.jobId,
        status: 'SUCCESS',
        requests: 2,
        succeeded: 1,
        failed: 1,
      },
    ]);
  });
});

describe('the manifest', () => {
  it('refers to whole files and adds up', async () => {
    const round = await ScriptedRound.begin(rows(3));
    await round.collect({ output: fileOf(answer('r0'), answer('r2')) });
    const summary = await round.bench.assemble();
    const text = await round.bench.text(MANIFEST);
    expect(summary.manifest).toEqual({ uri: round.bench.store.uriOf(MANIFEST), sha256: sha256(text) });
    const results = await round.bench.text(RESULTS);
    const errors = await round.bench.text(ERRORS);
    const { open } = round;
    expect(JSON.parse(text)).toMatchObject({
      batchId: BATCH,
      generation: 1,
      outcome: 'partial',
      phase: 'done',
      provider: 'mistral',
      input: { rows: 3, bytes: open.bytes, sha256: open.sha256 },
      rows: { total: 3, succeeded: 2, missing: 1 },
      results: { rows: 3, bytes: Buffer.byteLength(results), sha256: sha256(results) },
      errors: { rows: 1, bytes: Buffer.byteLength(errors), sha256: sha256(errors) },
      usage: { prompt_tokens: 6, total_tokens: 10 },
      failure: null,
      startedAt: '2026-11-22T12:00:00.000Z',
      finishedAt: '2026-11-22T12:00:00.000Z',
    });
  });

  it('lists open jobs and duplicates beside those of closed rounds, in order', async () => {
    const round = await ScriptedRound.begin(rows(4), { shardRows: 2 });
    const created = { createdAt: '2026-11-22T12:00:00.000Z', requests: 2 };
    await round.collect({ duplicates: [{ jobId: 'job-0', status: 'CANCELLED', ...created }] });
    const summary = await round.bench.assemble({
      openJobs: [{ shard: 1, round: 1, jobId: 'job-9', status: 'RUNNING', ...created }],
      duplicates: [
        { shard: 1, round: 1, jobId: 'job-8', status: 'QUEUED', ...created },
        { shard: 0, round: 1, jobId: 'job-0', status: 'CANCELLED', ...created },
      ],
    });
    expect(summary.jobs).toBe(4);
    const manifest = await round.bench.json(MANIFEST);
    expect(manifest['jobs']).toMatchObject([
      { shard: 0, jobId: 'job-1' },
      { shard: 0, jobId: 'job-0', duplicate: true },
      { shard: 1, jobId: 'job-9', status: 'RUNNING', completedAt: null },
      { shard: 1, jobId: 'job-8', duplicate: true },
    ]);
  });

  it('lists a job that the store records though no shard has spoken of it', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(5), { shardRows: 3 });
    const { job } = await bench.submit();
    const summary = await bench.assemble({ unanswered: 'missing' });
    expect(summary).toMatchObject({ jobs: 1, rows: { missing: 5 } });
    const manifest = await bench.json(MANIFEST);
    const createdAt = new Date(job.createdAt).toISOString();
    const counts = { requests: 3, succeeded: 0, failed: 0 };
    expect(manifest['jobs']).toEqual([
      { shard: 0, round: 1, jobId: job.jobId, status: 'UNKNOWN', ...counts, createdAt, completedAt: null },
    ]);
  });

  it.each([
    ['succeeded', { cancelled: true, failure: AUTH }, ['r0', 'r1']],
    ['cancelled', { cancelled: true, failure: AUTH }, ['r0']],
    ['partial', { failure: AUTH }, ['r0']],
    ['failed', { failure: AUTH }, []],
    ['partial', { failure: { type: 'DeadlineExceeded', message: 'late' } }, []],
  ] as const)('says %s of %o with answers to %o', async (outcome, more, answered) => {
    const round = await ScriptedRound.begin(rows(2));
    await round.collect({ output: fileOf(...answered.map((id) => answer(id))) });
    expect(await round.bench.assemble(more)).toMatchObject({ outcome });
    const { failure } = await round.bench.json(MANIFEST);
    expect(failure).toEqual(outcome === 'succeeded' ? null : 'failure' in more ? more.failure : null);
  });

  it('of a batch that was cancelled before it had a plan knows nothing and says so', async () => {
    const bench = await Bench.start();
    const summary = await bench.assemble({ generation: null, cancelled: true });
    expect(summary).toMatchObject({ outcome: 'cancelled', generation: 1, jobs: 0 });
    expect(await bench.json(MANIFEST)).toMatchObject({
      input: { uri: 'file:///input.jsonl', rows: null, bytes: null, sha256: null },
      provider: null,
      rows: { total: 0 },
      results: null,
      errors: null,
    });
    expect(await bench.files()).toEqual(['manifest.json']);
    expect(await bench.assemble({ generation: null, cancelled: true })).toEqual(summary);
  });
});

describe('generations', () => {
  async function prepared() {
    const bench = await Bench.start();
    await bench.prepare(rows(1));
    return bench;
  }

  it('write one manifest each, however many attempts there are', async () => {
    const bench = await prepared();
    const first = await bench.assemble();
    const manifest = await bench.text(MANIFEST);
    bench.clock.advance(5_000);
    expect(await bench.assemble({ cancelled: true })).toEqual(first);
    expect(await bench.text(MANIFEST)).toBe(manifest);
  });

  it('replace a lower one and keep its copy', async () => {
    const bench = await prepared();
    await bench.assemble();
    const manifest = await bench.text(MANIFEST);
    expect(await bench.assemble({ generation: 2, cancelled: true })).toMatchObject({
      generation: 2,
      outcome: 'cancelled',
    });
    expect(await bench.text(layout.archivedManifest(BATCH, 1))).toBe(manifest);
  });

  it('are refused once they are archived, or when a later one stands', async () => {
    const bench = await prepared();
    await bench.assemble({ generation: 2 });
    const later = await failureOf(bench.assemble({ generation: 1 }));
    expect(later).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
    expect(later.message).toContain('taken over by a later run');
    expect(later.message).toContain('longhaul status');
    await bench.assemble({ generation: 3 });
    await bench.store.remove(MANIFEST);
    expect(await failureOf(bench.assemble({ generation: 2 }))).toMatchObject({ type: 'StorageMismatch' });
    expect(await bench.files()).not.toContain('manifest.json');
  });

  it('of a run that was terminated give way to those of the next run, which has the same number', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const { bench } = round;
    const [terminated, next] = ['2026-11-22T12:00:00.000Z', '2026-11-22T12:00:01.000Z'] as const;
    // Its last word comes after the next run was prepared.
    expect(await bench.assemble({ startedAt: terminated })).toMatchObject({ rows: { missing: 2 } });
    await round.collect({ output: fileOf(answer('r0'), answer('r1')) });
    expect(await bench.assemble({ startedAt: next })).toMatchObject({ generation: 1, outcome: 'succeeded' });
    const manifest = await bench.text(MANIFEST);
    expect(JSON.parse(manifest)).toMatchObject({ startedAt: next, rows: { succeeded: 2 } });
    // Or after the next run has published.
    const late = await failureOf(bench.assemble({ startedAt: terminated }));
    expect(late).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
    expect(await bench.text(MANIFEST)).toBe(manifest);
    expect(JSON.parse(manifest)).toHaveProperty('results.sha256', sha256(await bench.text(RESULTS)));
  });

  it('of two Temporal servers with one store are one, if both came to the same', async () => {
    const round = await ScriptedRound.begin(rows(2));
    const { bench } = round;
    const [first, second] = ['2026-11-22T12:00:00.000Z', '2026-11-22T12:00:01.000Z'] as const;
    await round.collect({ output: fileOf(answer('r0'), answer('r1')) });
    const counted = { ...NO_ROWS, total: 2, succeeded: 2 };
    const published = await bench.assemble({ startedAt: second, counted, whole: true });
    const manifest = await bench.text(MANIFEST);
    expect(await bench.assemble({ startedAt: first, counted, whole: true })).toEqual(published);
    expect(await bench.text(MANIFEST)).toBe(manifest);
    const other = { ...NO_ROWS, total: 2, succeeded: 1, cancelled: 1 };
    for (const differs of [
      { counted: other, whole: true },
      { counted, whole: false },
    ]) {
      const refused = await failureOf(bench.assemble({ startedAt: first, ...differs }));
      expect(refused).toMatchObject({ type: 'StorageMismatch' });
    }
  });

  it('are not written by an attempt that was told to stop when it had merged', async () => {
    const bench = await prepared();
    const attempt = attemptOf();
    let looks = 0;
    const store = hookedStore(bench.store, (call, path) => {
      if (call !== 'readSmall' || path !== MANIFEST) return;
      looks += 1;
      if (looks === 2) attempt.cancel('NOT_FOUND');
    });
    await runActivity(bench.with({ store }), 'assemble', assembleInput(), attempt).catch(() => undefined);
    expect(looks).toBe(2);
    expect((await bench.files()).filter((file) => !file.includes('/'))).toEqual([]);
  });

  it.each(['openWriter', 'writeSmall'] as const)(
    'do not overwrite the files of a later one when they were held up (%s)',
    async (held) => {
      const round = await ScriptedRound.begin(rows(2));
      const { bench } = round;
      let over = false;
      const store = hookedStore(bench.store, async (call, path) => {
        if (call !== held || (path !== MANIFEST && path !== RESULTS) || over) return;
        over = true;
        await bench.assemble({ cancelled: true });
        await bench.prepare(rows(2));
        await round.collect({ output: fileOf(answer('r0'), answer('r1')) });
        await bench.assemble({ generation: 2 });
      });
      const failure = await failureOf(runActivity(bench.with({ store }), 'assemble', assembleInput()));
      expect(failure).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
      const manifest = await bench.json(MANIFEST);
      expect(manifest).toMatchObject({ generation: 2, outcome: 'succeeded' });
      if (held === 'openWriter')
        expect(manifest).toHaveProperty('results.sha256', sha256(await bench.text(RESULTS)));
    },
  );
});
