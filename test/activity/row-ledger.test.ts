import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActivityDeps } from '../../activities/deps.js';
import { layout, roundFile } from '../../batch/layout.js';
import type { JobPhase } from '../../batch/job-phase.js';
import { NO_ROWS } from '../../batch/rows.js';
import { resultLineSchema } from '../../schemas/result-line.js';
import { runActivity, attemptOf, tempDir, textIn } from '../support/activity-env.js';
import {
  assembleInput,
  beginInput,
  collectInput,
  ENDPOINT,
  MODEL,
  row,
  jsonl,
  wire,
} from '../support/activity-inputs.js';
import { remoteJob } from '../support/create-world.js';
import { playRound } from '../support/ledger-model.js';
import type { JobEnd, ModelRow, RoundScript, Said } from '../support/ledger-model.js';
import { memoryStore } from '../support/memory-store.js';
import { answer, failed, fileOf, withFiles } from '../support/scripted-round.js';
import type { ResultFiles } from '../support/scripted-round.js';

const said: fc.Arbitrary<Said> = fc.constantFrom(
  'success',
  'success',
  '4xx',
  '5xx',
  'error',
  'malformed',
  null,
  null,
);
const end: fc.Arbitrary<JobEnd> = fc.constantFrom(
  'SUCCESS',
  'SUCCESS',
  'TIMEOUT_EXCEEDED',
  'FAILED',
  'CANCELLED',
  'DEADLINE',
  'GONE',
  'DELETED',
);
const script: fc.Arbitrary<RoundScript> = fc.record({
  end,
  said: fc.array(said, { maxLength: 6 }),
  newRun: fc.constantFrom('no', 'normal', 'retry', 'rebuy'),
});

/** Rows of the input: good ones, with or without an id, and bad ones. */
const input = fc.array(fc.constantFrom('good', 'good', 'nameless', 'bad'), { minLength: 1, maxLength: 12 });

/** Which shard goes on when, and what its next round is. */
const moves = fc.array(fc.record({ shard: fc.nat({ max: 3 }), script }), { maxLength: 10 });

const LINES: Readonly<Record<Exclude<Said, null>, (id: string) => string>> = {
  success: (id) => answer(id),
  '4xx': (id) => failed(id, null, { status_code: 422, body: {} }),
  '5xx': (id) => failed(id, null, { status_code: 503, body: {} }),
  error: (id) => failed(id, 'no'),
  malformed: (id) => failed(id, null),
};

const PHASES: Readonly<Record<JobEnd, JobPhase>> = {
  SUCCESS: 'succeeded',
  TIMEOUT_EXCEEDED: 'expired',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  DEADLINE: 'cancelled',
  GONE: 'succeeded',
  DELETED: 'running',
};

/** A batch in memory beside its model. */
class Ledger {
  readonly #store = memoryStore();
  readonly #files: ResultFiles = new Map();
  readonly #rounds = new Map<number, number>();
  readonly #finalFrom = new Map<number, number>();
  readonly #batchId: string;
  readonly #deps: ActivityDeps;

  constructor(scratchDir: string, batchId: string) {
    this.#batchId = batchId;
    const job = remoteJob('job', 0, { fileId: 'f', metadata: {} });
    this.#deps = {
      store: this.#store,
      provider: () => withFiles(this.#files, () => job),
      clock: { now: () => 0 },
      scratchDir,
      fileRoots: () => Promise.resolve([]),
      createSettleMs: 0,
      cancelWaitMs: 0,
    };
  }

  async prepare(content: string, shardRows: number): Promise<number> {
    await this.#store.writeSmall('input.jsonl', content);
    const settings = {
      input: { uri: 'memory:///input.jsonl' },
      endpoint: ENDPOINT,
      model: MODEL,
      shardRows,
      onInvalid: 'skip',
    };
    const prepared = await runActivity(
      { ...this.#deps, store: { ...this.#store, uri: 'memory://' } },
      'prepare',
      settings,
      this.#attempt(),
    );
    return prepared.kind === 'prepared' ? prepared.shards : 0;
  }

  /** Plays a shard's next round in the store; returns the ids that it sent. */
  async play(shard: number, { end: jobEnd, said: words, newRun }: RoundScript): Promise<readonly string[]> {
    const round = (this.#rounds.get(shard) ?? 0) + 1;
    if (newRun !== 'no' || !this.#finalFrom.has(shard)) this.#finalFrom.set(shard, round);
    const mode = {
      kind: newRun === 'retry' ? 'retry' : 'normal',
      rebuyLost: newRun === 'rebuy',
      finalFrom: this.#finalFrom.get(shard) ?? round,
    } as const;
    const open = await runActivity(
      this.#deps,
      'beginRound',
      beginInput({ shard, round, mode }),
      this.#attempt(),
    );
    if (open.kind !== 'open') return [];
    this.#rounds.set(shard, round);
    const ids = (await textIn(this.#store, open.path))
      .split('\n')
      .slice(0, -1)
      .map((line) => String(wire(JSON.parse(line))['custom_id']));
    const lines = ids.flatMap((id, place) => {
      const word = words[place] ?? null;
      return word === null ? [] : [LINES[word](id)];
    });
    const name = `${shard}-${round}`;
    this.#files.set(name, jobEnd === 'GONE' ? null : fileOf(...lines.toReversed()));
    const record = { key: open.key, jobId: name, createdAt: 0, inputFiles: [] };
    await this.#store.writeSmall(
      roundFile.job(layout.round(this.#batchId, shard, round)),
      JSON.stringify(record),
    );
    const counts = { total: 0, completed: 0, succeeded: 0, failed: 0 };
    const job = {
      jobId: name,
      phase: PHASES[jobEnd],
      status: jobEnd,
      counts,
      outputFile: name,
      errorFile: null,
      createdAt: 0,
      completedAt: 0,
    };
    const more = { shard, round, deleted: jobEnd === 'DELETED', deadlinePassed: jobEnd === 'DEADLINE' };
    const sums = await runActivity(this.#deps, 'collect', collectInput(open, job, more), this.#attempt());
    expect(sums.rows.total).toBe(ids.length);
    return ids;
  }

  async assemble() {
    const { summary } = await runActivity(
      this.#deps,
      'assemble',
      assembleInput({ unanswered: 'cancelled' }),
      this.#attempt(),
    );
    const text = await textIn(this.#store, layout.results(this.#batchId));
    const lines = text
      .split('\n')
      .slice(0, -1)
      .map((line) => resultLineSchema.parse(JSON.parse(line)));
    return { summary, lines };
  }

  #attempt() {
    return attemptOf({ workflowId: this.#batchId });
  }
}

describe('the row ledger', () => {
  it('has one line per row, in order, with the class that the model gives it', async () => {
    const scratchDir = await tempDir();
    let batch = 0;
    const property = fc.asyncProperty(
      input,
      fc.integer({ min: 1, max: 5 }),
      moves,
      async (kinds, shardRows, played) => {
        const ledger = new Ledger(scratchDir, `b${(batch += 1)}`);
        const lines = kinds.map((kind, n) => (kind === 'bad' ? {} : row(kind === 'good' ? `r${n}` : null)));
        const shards = await ledger.prepare(jsonl(lines), shardRows);

        const model = kinds.map((kind, n): ModelRow => {
          const isBad = kind === 'bad';
          return {
            customId: kind === 'good' ? `r${n}` : `longhaul-${n}`,
            error: isBad ? 'invalid_row' : 'cancelled',
            round: 0,
            again: false,
          };
        });
        const good = model.filter(({ error }) => error !== 'invalid_row');
        const rounds = new Map<number, number>();
        for (const { shard: place, script: next } of played) {
          if (shards === 0) break;
          const shard = place % shards;
          const round = (rounds.get(shard) ?? 0) + 1;
          const taken = playRound(good.slice(shard * shardRows, (shard + 1) * shardRows), round, next);
          if (taken.length > 0) rounds.set(shard, round);
          expect(await ledger.play(shard, next)).toEqual(taken.map(({ customId }) => customId));
        }

        const { summary, lines: results } = await ledger.assemble();
        expect(results.map(({ custom_id, error, round }) => [custom_id, error?.type ?? null, round])).toEqual(
          model.map(({ customId, error, round }) => [
            customId.startsWith('r') && error !== 'invalid_row' ? customId : null,
            error,
            round,
          ]),
        );
        const count = (...types: readonly (string | null)[]) =>
          model.filter(({ error }) => types.includes(error)).length;
        expect(summary.rows).toEqual({
          ...NO_ROWS,
          total: model.length,
          succeeded: count(null),
          failed: count('http_error', 'provider_error', 'malformed', 'job_failed'),
          invalid: count('invalid_row'),
          cancelled: count('cancelled'),
          expired: count('expired'),
          missing: count('missing', 'output_gone'),
        });
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
});
