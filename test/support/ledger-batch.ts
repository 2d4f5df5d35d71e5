import { expect } from 'vitest';
import type { ActivityDeps } from '../../activities/deps.js';
import { roundProblem } from '../../batch/accounting.js';
import type { ShardAccount } from '../../batch/account.js';
import { layout, roundFile } from '../../batch/layout.js';
import type { JobPhase } from '../../batch/job-phase.js';
import type { JobSnapshot } from '../../batch/job-snapshot.js';
import { addCounts, NO_ROWS, subtractCounts } from '../../batch/rows.js';
import type { RowCounts, RowErrorType } from '../../batch/rows.js';
import { groupUnanswered, isWhole, sumAccounts } from '../../batch/shard-sums.js';
import { attemptOf, runActivity, textIn } from './activity-env.js';
import { assembleInput, beginInput, collectInput, ENDPOINT, jsonLines, MODEL } from './activity-inputs.js';
import type { Wire } from './activity-inputs.js';
import { remoteJob } from './create-world.js';
import { readable } from './ledger-model.js';
import type { JobEnd, RoundScript, RunKind, SaidLine } from './ledger-model.js';
import { memoryStore } from './memory-store.js';
import { answer, failed, fileOf, withFiles } from './scripted-round.js';
import type { ResultFiles } from './scripted-round.js';

const PHASES: Readonly<Record<JobEnd, JobPhase>> = {
  SUCCESS: 'succeeded',
  TIMEOUT_EXCEEDED: 'expired',
  FAILED: 'failed',
  FAILED_FOR_QUOTA: 'failed',
  CANCELLED: 'cancelled',
  CANCELLED_AT_DEADLINE: 'cancelled',
  TIMEOUT_AT_DEADLINE: 'expired',
  OUTPUT_GONE: 'succeeded',
  ERRORS_GONE: 'succeeded',
  DELETED: 'running',
  LEFT: 'running',
};

/** A line whose text names it, so that it can be told which of several counted. */
const LINES: Readonly<Record<SaidLine['word'], (id: string, index: number) => string>> = {
  success: (id, index) => answer(id, `line ${index}`),
  '4xx': (id, index) => failed(id, `line ${index}`, { status_code: 422, body: {} }),
  '5xx': (id, index) => failed(id, `line ${index}`, { status_code: 503, body: {} }),
  error: (id, index) => failed(id, `line ${index}`),
  malformed: (id) => failed(id, null),
  broken: (id, index) => `${answer(id, `line ${index}`).slice(0, -9)}`,
};

interface LedgerShard {
  round: number;
  kind: RunKind;
  /** As the workflow keeps it: null until a job was seen alive. */
  finalFrom: number | null;
  rows: RowCounts;
}

/** A batch in memory whose jobs end as scripts say, played through the activities as the workflows do it. */
export class LedgerBatch {
  readonly #store = memoryStore();
  readonly #files: ResultFiles = new Map();
  readonly #shards = new Map<number, LedgerShard>();
  readonly #batchId: string;
  readonly #deps: ActivityDeps;
  #quota = false;
  #planned = { shards: 0, rows: 0, invalid: 0 };

  constructor(scratchDir: string, batchId: string) {
    this.#batchId = batchId;
    const job = remoteJob('job', 0, { fileId: 'f', metadata: {} });
    const errors = () => (this.#quota ? [{ message: 'Too many pending requests', count: 1 }] : []);
    this.#deps = {
      store: this.#store,
      provider: () => withFiles(this.#files, () => ({ ...job, errors: errors() })),
      // Long after each job's end: a file that is not there is gone.
      clock: { now: () => 3_600_000 },
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
    const deps = { ...this.#deps, store: { ...this.#store, uri: 'memory://' } };
    const prepared = await runActivity(deps, 'prepare', settings, this.#attempt());
    if (prepared.kind !== 'prepared') throw new Error('a new batch is finished');
    this.#planned = prepared;
    return prepared.shards;
  }

  /** Plays a shard's next round; returns the ids that it sent and how many lines it quarantined. */
  async play(shard: number, script: RoundScript): Promise<{ ids: readonly string[]; quarantined: number }> {
    const state = this.#shard(shard);
    if (script.newRun !== null) Object.assign(state, { kind: script.newRun, finalFrom: null });
    const { round, kind, finalFrom } = state;
    const mode = {
      kind: kind === 'retry' ? 'retry' : 'normal',
      rebuyLost: kind === 'rebuy',
      finalFrom: finalFrom ?? round,
    } as const;
    const folder = layout.round(this.#batchId, shard, round);
    const wasLeft = (await this.#store.stat(roundFile.input(folder))) !== null;
    const begin = beginInput({ shard, round, mode });
    const open = await runActivity(this.#deps, 'beginRound', begin, this.#attempt());
    if (open.kind !== 'open') return { ids: [], quarantined: 0 };
    if (!wasLeft || !script.foundDead) state.finalFrom ??= round;
    const ids = jsonLines(await textIn(this.#store, open.path)).map((line) => String(line['custom_id']));
    expect(open.rows).toBe(ids.length);
    if (script.end === 'LEFT') return { ids, quarantined: 0 };

    const job = await this.#ended(`${shard}-${round}`, folder, open.key, script, ids);
    const deadlinePassed = script.end.endsWith('AT_DEADLINE');
    const more = { shard, round, deleted: script.end === 'DELETED', deadlinePassed };
    const input = collectInput(open, job, more);
    const sums = await runActivity(this.#deps, 'collect', input, this.#attempt());
    expect(roundProblem(sums, state.rows, ids.length)).toBeNull();
    state.rows = addCounts(subtractCounts(state.rows, sums.takes), sums.rows);
    state.round += 1;
    const quarantine = roundFile.quarantine(folder);
    const thrown = this.#store.files.get(quarantine)?.toString('utf8') ?? '';
    return { ids, quarantined: thrown.split('\n').length - 1 };
  }

  /** The sums that the shard would return. */
  rowsOf(shard: number): RowCounts {
    return this.#shard(shard).rows;
  }

  /** `unanswered`: what becomes of rows in shards that closed no round. */
  async assemble(generation: number, unanswered: RowErrorType, others: ReadonlyMap<number, RowErrorType>) {
    const accounts = Array.from({ length: this.#planned.shards }, (_, shard): ShardAccount => {
      const { rows } = this.#shard(shard);
      const own = others.get(shard) ?? unanswered;
      return {
        shard,
        rows,
        unanswered: own,
        answered: 0,
        jobs: 0,
        failure: null,
        openJob: null,
        duplicates: [],
      };
    });
    const counted = sumAccounts(accounts).rows;
    const input = assembleInput({
      generation,
      unanswered,
      unansweredShards: groupUnanswered(accounts, unanswered),
      counted,
      whole:
        isWhole(accounts, this.#planned.shards) &&
        counted.total + this.#planned.invalid === this.#planned.rows,
    });
    const { summary } = await runActivity(this.#deps, 'assemble', input, this.#attempt());
    return {
      summary,
      results: await this.#lines(layout.results(this.#batchId)),
      errors: await this.#lines(layout.errors(this.#batchId)),
      manifest: (await this.#lines(layout.manifest(this.#batchId), true))[0] ?? {},
    };
  }

  /** The job's files, its record in the store, and what a poll would have said last. */
  async #ended(
    name: string,
    folder: string,
    key: string,
    script: RoundScript,
    ids: readonly string[],
  ): Promise<JobSnapshot> {
    for (const file of ['output', 'error'] as const) {
      const isGone = script.end === (file === 'output' ? 'OUTPUT_GONE' : 'ERRORS_GONE');
      const lines = script.lines.flatMap(({ word, place, file: where }, index) =>
        where === file ? [LINES[word](ids[place] ?? `nobody-${place}`, index)] : [],
      );
      this.#files.set(`${name}-${file}`, isGone ? null : fileOf(...lines));
    }
    this.#quota = script.end === 'FAILED_FOR_QUOTA';
    const record = { key, jobId: name, createdAt: 0, inputFiles: [] };
    await this.#store.writeSmall(roundFile.job(folder), JSON.stringify(record));
    return {
      jobId: name,
      phase: PHASES[script.end],
      status: script.end,
      counts: { total: 0, completed: 0, succeeded: readable(script).length, failed: 0 },
      outputFile: `${name}-output`,
      errorFile: `${name}-error`,
      createdAt: 0,
      completedAt: 0,
    };
  }

  #shard(shard: number): LedgerShard {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const fresh: LedgerShard = { round: 1, kind: 'normal', finalFrom: null, rows: NO_ROWS };
    this.#shards.set(shard, fresh);
    return fresh;
  }

  async #lines(path: string, whole = false): Promise<readonly Wire[]> {
    const text = await textIn(this.#store, path);
    return jsonLines(whole ? JSON.stringify(JSON.parse(text)) : text);
  }

  #attempt() {
    return attemptOf({ workflowId: this.#batchId });
  }
}
