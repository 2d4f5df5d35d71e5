import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layout, roundFile } from '../../batch/layout.js';
import type { RoundMode } from '../../batch/round-selection.js';
import { attemptOf, Bench, failureOf, runActivity } from '../support/activity-env.js';
import { BATCH, beginInput, jsonl, row, rows } from '../support/activity-inputs.js';
import { answer, failed, fileOf, ScriptedRound } from '../support/scripted-round.js';
import { hookedStore } from '../support/store-hooks.js';

const NONE = { total: 0, succeeded: 0, failed: 0, invalid: 0, cancelled: 0, expired: 0, missing: 0 };
const status = (id: string, code: number) => failed(id, null, { status_code: code, body: {} });

/** A first round of rows r0 … r5 that ended so: success, 400, 500, an error string, malformed, no answer. */
async function firstRound(ending: Parameters<ScriptedRound['collect']>[0] = {}) {
  const round = await ScriptedRound.begin(rows(6));
  await round.collect({
    output: fileOf(answer('r0')),
    error: fileOf(status('r1', 400), status('r2', 500), failed('r3', 'no'), failed('r4', null)),
    ...ending,
  });
  const { bench } = round;
  return {
    bench,
    begin: (mode: Partial<RoundMode>, mayBegin = true) =>
      bench.run(
        'beginRound',
        beginInput({ round: 2, mode: { kind: 'normal', rebuyLost: false, finalFrom: 1, ...mode }, mayBegin }),
      ),
    ids: async () =>
      (await bench.lines(roundFile.input(layout.round(BATCH, 0, 2)))).map((line) => line['custom_id']),
  };
}

describe('a first round', () => {
  it('has all rows of its shard, byte for byte, and takes nothing from others', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(5), { shardRows: 3 });
    const open = await bench.begin({ shard: 1 });
    expect(open).toMatchObject({ kind: 'open', rows: 2, takes: NONE, path: 'b1/rounds/00001-1/input.jsonl' });
    expect(await bench.text(open.path)).toBe(await bench.text(layout.shard(BATCH, 1)));
    expect(open.key).toMatch(/^[0-9a-f]{64}$/);
  });

  it('stands once it was begun, with the same key for every attempt, run and worker', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(3));
    const [one, two] = await Promise.all([bench.begin(), bench.begin()]);
    expect(one).toEqual(two);
    const again = await bench.run('beginRound', beginInput({ mayBegin: false }), {
      workflowId: `${BATCH}/shard-00000`,
    });
    expect(again).toEqual(one);
  });

  it('has another key in another batch, shard or round', async () => {
    const bench = await Bench.start();
    const same = jsonl([row('a'), row('b')]);
    await bench.prepare(same, { shardRows: 1 });
    const settings = {
      input: { uri: await bench.input(same) },
      endpoint: '/v1/chat/completions',
      model: 'mistral-small-latest',
      shardRows: 1,
    };
    await bench.run('prepare', settings, { workflowId: 'b2' });
    const other = await bench.run('beginRound', beginInput(), { workflowId: 'b2' });
    const keys = [await bench.begin(), await bench.begin({ shard: 1 }), other].map(
      (open) => 'key' in open && open.key,
    );
    expect(new Set(keys).size).toBe(3);
  });

  it('is not begun when it may not be, and leaves nothing', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(3));
    const before = await bench.files();
    expect(await bench.run('beginRound', beginInput({ mayBegin: false }))).toEqual({ kind: 'none' });
    expect(await bench.files()).toEqual(before);
  });
});

describe('a further round', () => {
  const cases: readonly (readonly [string, Partial<RoundMode>, readonly string[]])[] = [
    ['of the same run takes what is worth another try', { finalFrom: 1 }, ['r2', 'r3', 'r4', 'r5']],
    ['of a new run takes that too, and no 4xx', { finalFrom: 2 }, ['r2', 'r3', 'r4', 'r5']],
    [
      'with --retry takes all that did not succeed',
      { kind: 'retry', finalFrom: 2 },
      ['r1', 'r2', 'r3', 'r4', 'r5'],
    ],
    [
      'of a run with --retry takes no 4xx of its own',
      { kind: 'retry', finalFrom: 1 },
      ['r2', 'r3', 'r4', 'r5'],
    ],
  ];
  it.each(cases)('%s', async (_, mode, expected) => {
    const { begin, ids } = await firstRound();
    const open = await begin(mode);
    expect(open).toMatchObject({ kind: 'open', rows: expected.length });
    expect(await ids()).toEqual(expected);
    const isMissing = 1;
    expect(open).toHaveProperty('takes', {
      ...NONE,
      total: expected.length,
      missing: isMissing,
      failed: expected.length - isMissing,
    });
    // Found standing, it is the same in every word.
    expect(await begin({ kind: 'retry', finalFrom: 2 }, false)).toEqual(open);
  });

  it.each([
    ['cancelled', { job: { phase: 'cancelled' } }, { finalFrom: 1 }, 0],
    ['cancelled', { job: { phase: 'cancelled' } }, { finalFrom: 2 }, 6],
    ['expired', { job: { phase: 'expired' } }, { finalFrom: 1 }, 6],
    ['expired at the deadline', { job: { phase: 'expired' }, deadlinePassed: true }, { finalFrom: 1 }, 0],
    ['expired at the deadline', { job: { phase: 'expired' }, deadlinePassed: true }, { finalFrom: 2 }, 6],
    ['job_failed', { job: { phase: 'failed' } }, { finalFrom: 1 }, 0],
    ['job_failed', { job: { phase: 'failed' } }, { finalFrom: 2 }, 6],
    ['output_gone', { deleted: true }, { finalFrom: 2 }, 0],
    ['output_gone', { deleted: true }, { finalFrom: 2, kind: 'retry' }, 0],
    ['output_gone', { deleted: true }, { finalFrom: 2, rebuyLost: true }, 6],
    ['output_gone', { deleted: true }, { finalFrom: 1, rebuyLost: true }, 0],
  ] as const)('of rows that are %s (%o), in a round with %o, takes %i', async (_, ending, mode, taken) => {
    const { begin, bench } = await firstRound({ output: undefined, error: undefined, ...ending });
    const open = await begin(mode);
    if (taken === 0) {
      expect(open).toEqual({ kind: 'none' });
      expect(await bench.files()).not.toContain('rounds/00000-2/input.jsonl');
    } else expect(open).toMatchObject({ kind: 'open', rows: taken });
  });

  it('counts the last word on each row', async () => {
    const { bench, begin } = await firstRound();
    await begin({});
    const record = { key: 'a'.repeat(64), jobId: 'job-2', createdAt: 0, inputFiles: [] };
    await bench.store.writeSmall(roundFile.job(layout.round(BATCH, 0, 2)), JSON.stringify(record));
    const round = { shard: 0, round: 2, takes: NONE, duplicates: [], deleted: true, deadlinePassed: false };
    const job = {
      jobId: 'job-2',
      phase: 'succeeded',
      status: 'SUCCESS',
      counts: { total: 0, completed: 0, succeeded: 0, failed: 0 },
      outputFile: null,
      errorFile: null,
      createdAt: 0,
      completedAt: 0,
    } as const;
    await bench.run('collect', { ...round, job });
    const third = await bench.run(
      'beginRound',
      beginInput({ round: 3, mode: { kind: 'retry', rebuyLost: true, finalFrom: 3 } }),
    );
    expect(third).toMatchObject({ rows: 5, takes: { ...NONE, total: 5, missing: 4, failed: 1 } });
  });

  it('is closed by its account', async () => {
    const { bench } = await firstRound();
    const closed = await bench.run('beginRound', beginInput());
    expect(closed).toMatchObject({
      kind: 'closed',
      sums: { answered: 5, retryable: 4, rows: { total: 6, failed: 4 } },
    });
  });
});

describe('a store that was changed by hand', () => {
  const change = (bench: Bench, path: string, content: string) =>
    writeFile(join(bench.dir, 'store', path), content);

  it.each([
    ['a shard', layout.shard(BATCH, 0), (text: string) => text.replace('r1', 'x1')],
    [
      'a round’s input',
      roundFile.input(layout.round(BATCH, 0, 1)),
      (text: string) => text.replace('r1', 'x1'),
    ],
    [
      'a shorter input',
      roundFile.input(layout.round(BATCH, 0, 1)),
      (text: string) => text.slice(text.indexOf('\n') + 1),
    ],
  ])('is noticed: %s', async (_, path, edit) => {
    const bench = await Bench.start();
    await bench.prepare(rows(3));
    await bench.begin();
    await change(bench, path, edit(await bench.text(path)));
    expect(await failureOf(bench.begin())).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
  });

  it('leaves no round behind that a restored shard would not fit', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(3));
    const shard = await bench.text(layout.shard(BATCH, 0));
    await change(bench, layout.shard(BATCH, 0), shard.replace('r1', 'x1'));
    await failureOf(bench.begin());
    await change(bench, layout.shard(BATCH, 0), shard);
    expect(await bench.begin()).toMatchObject({ rows: 3 });
  });

  it('is noticed in later rounds too', async () => {
    const { bench, begin } = await firstRound();
    const shard = await bench.text(layout.shard(BATCH, 0));
    await change(bench, layout.shard(BATCH, 0), shard.replaceAll('r5', 'x5'));
    expect(await failureOf(begin({}))).toMatchObject({ type: 'StorageMismatch' });
    expect(await bench.files()).not.toContain('rounds/00000-2/input.jsonl');
  });

  it('is noticed in answers', async () => {
    const { bench, begin } = await firstRound();
    const path = roundFile.answers(layout.round(BATCH, 0, 1));
    await change(bench, path, (await bench.text(path)).replace('answer of r0', 'answer of xx'));
    expect(await failureOf(begin({}))).toMatchObject({ type: 'IntegrityMismatch' });
  });

  it('is noticed when the plan is gone', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(3));
    await bench.store.remove(layout.plan(BATCH));
    const failure = await failureOf(bench.begin());
    expect(failure).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
    expect(failure.message).toContain('LONGHAUL_STORE');
  });
});

describe('an attempt that ends early', () => {
  it('leaves nothing when it is cancelled or killed', async () => {
    const bench = await Bench.start();
    await bench.prepare(rows(3));
    const attempt = attemptOf();
    const store = hookedStore(bench.store, (call) => {
      if (call === 'openWriter') attempt.cancel();
    });
    const error = await runActivity(bench.with({ store }), 'beginRound', beginInput(), attempt).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ name: 'CancelledFailure' });
    const folder = join(bench.dir, 'store', BATCH, 'rounds', '00000-1');
    expect(await readdir(folder).catch(() => [])).toEqual([]);
    expect(await bench.begin()).toMatchObject({ rows: 3 });
  });
});
