import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resultLineSchema } from '../../schemas/result-line.js';
import type { RowErrorType } from '../../batch/rows.js';
import { tempDir } from '../support/activity-env.js';
import { jsonl, row, wire } from '../support/activity-inputs.js';
import { LedgerBatch } from '../support/ledger-batch.js';
import { playRound, readable } from '../support/ledger-model.js';
import type { JobEnd, ModelRow, ModelShard, RoundScript, SaidLine } from '../support/ledger-model.js';

const line: fc.Arbitrary<SaidLine> = fc.record({
  file: fc.constantFrom('output', 'output', 'error'),
  // The last places are nobody's: a shard has at most five rows.
  place: fc.nat({ max: 6 }),
  word: fc.constantFrom('success', 'success', '4xx', '5xx', 'error', 'malformed', 'broken'),
});
const end: fc.Arbitrary<JobEnd> = fc.constantFrom(
  ...(['SUCCESS', 'SUCCESS', 'TIMEOUT_EXCEEDED', 'FAILED', 'FAILED_FOR_QUOTA', 'CANCELLED'] as const),
  ...(['CANCELLED_AT_DEADLINE', 'TIMEOUT_AT_DEADLINE', 'OUTPUT_GONE', 'ERRORS_GONE'] as const),
  ...(['DELETED', 'LEFT'] as const),
);
const script: fc.Arbitrary<RoundScript> = fc.record({
  newRun: fc.constantFrom(null, null, 'normal', 'retry', 'rebuy'),
  end,
  lines: fc.array(line, { maxLength: 10 }),
  foundDead: fc.boolean(),
});

/** Rows of the input: good ones, with or without an id, and bad ones. */
const input = fc.array(fc.constantFrom('good', 'good', 'nameless', 'bad'), { minLength: 1, maxLength: 12 });

/** Which shard goes on when, and how its next round ends. */
const moves = fc.array(fc.record({ shard: fc.nat({ max: 3 }), script }), { maxLength: 10 });
const unanswered = fc.constantFrom<RowErrorType>('cancelled', 'expired', 'missing', 'job_failed');

const CLASSES = {
  succeeded: [null],
  failed: ['http_error', 'provider_error', 'malformed', 'job_failed'],
  invalid: ['invalid_row'],
  cancelled: ['cancelled'],
  expired: ['expired'],
  missing: ['missing', 'output_gone'],
} as const;

function countsOf(rows: readonly ModelRow[]) {
  const count = (types: readonly (string | null)[]) =>
    rows.filter(({ error }) => types.includes(error)).length;
  return {
    total: rows.length,
    succeeded: count(CLASSES.succeeded),
    failed: count(CLASSES.failed),
    invalid: count(CLASSES.invalid),
    cancelled: count(CLASSES.cancelled),
    expired: count(CLASSES.expired),
    missing: count(CLASSES.missing),
  };
}

function modelRow(kind: string, n: number): ModelRow {
  const customId = kind === 'good' ? `r${n}` : `longhaul-${n}`;
  return { customId, error: kind === 'bad' ? 'invalid_row' : null, round: 0, again: false, line: null };
}

function modelShards(rows: readonly ModelRow[], shards: number, shardRows: number): ModelShard[] {
  return Array.from({ length: shards }, (_, shard) => ({
    rows: rows.slice(shard * shardRows, (shard + 1) * shardRows),
    rounds: 0,
    left: null,
    kind: 'normal',
    from: null,
  }));
}

/** The batch beside its model: both play the same, and must agree after each step. */
class Game {
  readonly batch: LedgerBatch;
  readonly #rows: readonly ModelRow[];
  readonly #kinds: readonly string[];
  readonly #shards: readonly ModelShard[];

  static async start(
    folder: string,
    batchId: string,
    kinds: readonly string[],
    shardRows: number,
  ): Promise<Game> {
    const batch = new LedgerBatch(folder, batchId);
    const lines = kinds.map((kind, n) => (kind === 'bad' ? {} : row(kind === 'good' ? `r${n}` : null)));
    return new Game(batch, kinds, await batch.prepare(jsonl(lines), shardRows), shardRows);
  }

  private constructor(batch: LedgerBatch, kinds: readonly string[], shards: number, shardRows: number) {
    this.batch = batch;
    this.#kinds = kinds;
    this.#rows = kinds.map(modelRow);
    const good = this.#rows.filter(({ error }) => error !== 'invalid_row');
    this.#shards = modelShards(good, shards, shardRows);
  }

  async play(place: number, next: RoundScript): Promise<void> {
    const number = place % Math.max(1, this.#shards.length);
    const shard = this.#shards[number];
    if (shard === undefined) return;
    const taken = playRound(shard, next);
    const { ids, quarantined } = await this.batch.play(number, next);
    expect(ids).toEqual(taken.map(({ customId }) => customId));
    const closed = taken.length > 0 && shard.left === null;
    const kept = closed ? taken.filter((own) => own.line !== null).length : 0;
    expect(quarantined).toBe(closed ? readable(next).length - kept : 0);
    if (shard.rounds > 0) expect(this.batch.rowsOf(number)).toEqual(countsOf(shard.rows));
  }

  async assemble(generation: number, usual: RowErrorType, others: readonly RowErrorType[]): Promise<void> {
    const exceptions = new Map(others.map((type, shard) => [shard, type]));
    // In the model an untold row has no error yet: only now it is known what becomes of it.
    const expected = this.#rows.map((own) => {
      const shard = this.#shards.findIndex(({ rows }) => rows.includes(own));
      const isUntold = own.round === 0 && own.error === null;
      return isUntold ? { ...own, error: exceptions.get(shard) ?? usual } : own;
    });
    const { summary, results, errors, manifest } = await this.batch.assemble(generation, usual, exceptions);
    expect(results.map((result) => this.#brief(wire(result)))).toEqual(
      expected.map((own, n) => [this.#kinds[n] === 'good' ? own.customId : null, own.error, own.round]),
    );
    for (const [n, own] of expected.entries()) {
      // Which of several lines counts.
      if (own.line !== null && own.error !== 'malformed') {
        expect(JSON.stringify(results[n])).toContain(`"line ${own.line}"`);
      }
    }
    expect(summary).toMatchObject({ generation, rows: countsOf(expected) });
    expect(errors).toEqual(
      results.flatMap((result, n) => (result['error'] === null ? [] : [{ ...result, line: n + 1 }])),
    );
    const succeeded = expected.filter(({ error }) => error === null).length;
    expect(manifest['usage']).toEqual(
      succeeded === 0 ? {} : { prompt_tokens: 3 * succeeded, total_tokens: 5 * succeeded },
    );
    // A job that a run left is listed as well.
    const jobs = this.#shards.reduce((sum, { rounds, left }) => sum + rounds + (left === null ? 0 : 1), 0);
    expect(manifest['jobs']).toHaveLength(jobs);
  }

  #brief(result: Readonly<Record<string, unknown>>) {
    const { custom_id, error, round } = resultLineSchema.parse(result);
    return [custom_id, error?.type ?? null, round];
  }
}

describe('the row ledger', () => {
  it(
    'has one line per row, in order, with the word that the model gives it',
    { timeout: 120_000 },
    async () => {
      const folder = await tempDir();
      let batch = 0;
      const property = fc.asyncProperty(
        input,
        fc.integer({ min: 1, max: 5 }),
        fc.tuple(moves, moves),
        fc.tuple(unanswered, fc.array(unanswered, { maxLength: 3 })),
        async (kinds, shardRows, [before, after], [usual, others]) => {
          const game = await Game.start(folder, `b${(batch += 1)}`, kinds, shardRows);
          for (const { shard, script: next } of before) await game.play(shard, next);
          await game.assemble(1, usual, others);
          // A later run goes on where the first one ended, and assembles anew.
          for (const { shard, script: next } of after) await game.play(shard, next);
          await game.assemble(2, usual, others);
        },
      );
      await fc.assert(property, { numRuns: 150 });
    },
  );
});
