import { expect } from 'vitest';
import type { ActivityDeps } from '../../activities/deps.js';
import type { RoundSums, ShardAccount } from '../../batch/account.js';
import { layout, roundFile } from '../../batch/layout.js';
import type { JobPhase } from '../../batch/job-phase.js';
import type { JobSnapshot } from '../../batch/job-snapshot.js';
import { NO_CONTROL } from '../../batch/control.js';
import type { RowCounts, RowErrorType } from '../../batch/rows.js';
import { absorbed, adopted, left, roundMode } from '../../batch/shard-rounds.js';
import { initialShardState } from '../../batch/shard-state.js';
import type { ShardState } from '../../batch/shard-state.js';
import { groupUnanswered, isWhole, sumAccounts } from '../../batch/shard-sums.js';
import { attemptOf, runActivity, textIn } from './activity-env.js';
import type { RunInfo } from './activity-env.js';
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
  kind: RunKind;
  /** What the workflow of the run would carry. */
  state: ShardState;
}

function freshRun(kind: RunKind): LedgerShard {
  return { kind, state: initialShardState(NO_CONTROL) };
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
    const run = this.#shard(shard);
    if (script.newRun !== null) Object.assign(run, freshRun(script.newRun));
    const { state } = run;
    const open = await this.#begun(shard, run);
    if (open === null) return { ids: [], quarantined: 0 };
    const folder = layout.round(this.#batchId, shard, state.round);
    const { key, rows, takes } = open;
    const ids = jsonLines(await textIn(this.#store, open.path)).map((line) => String(line['custom_id']));
    expect(rows).toBe(ids.length);

    const job = await this.#ended(`${shard}-${state.round}`, folder, key, script, ids);
    const seenAlive = !open.wasLeft || !script.foundDead;
    Object.assign(state, adopted(state, { key, rows, takes, job, seenAlive, now: 0 }));
    if (script.end === 'LEFT') {
      Object.assign(state, left(state), { active: null });
      return { ids, quarantined: 0 };
    }
    const deadlinePassed = script.end.endsWith('AT_DEADLINE');
    const more = { shard, round: state.round, deleted: script.end === 'DELETED', deadlinePassed };
    const input = collectInput(open, job, more);
    // The first attempt that takes a file which is not there for gone.
    const sums = await runActivity(this.#deps, 'collect', input, this.#attempt({ attempt: 3, absences: 2 }));
    this.#absorb(state, sums);
    const quarantine = roundFile.quarantine(folder);
    const thrown = this.#store.files.get(quarantine)?.toString('utf8') ?? '';
    return { ids, quarantined: thrown.split('\n').length - 1 };
  }

  /** The shard's open round; rounds that earlier runs closed are walked through, as a new run does. */
  async #begun(shard: number, { kind, state }: LedgerShard) {
    for (;;) {
      const { round } = state;
      const mode = roundMode(state, { retry: kind === 'retry', rebuyLost: kind === 'rebuy' });
      const folder = layout.round(this.#batchId, shard, round);
      const wasLeft = (await this.#store.stat(roundFile.input(folder))) !== null;
      const input = beginInput({ shard, round, mode });
      const begun = await runActivity(this.#deps, 'beginRound', input, this.#attempt());
      if (begun.kind === 'none') return null;
      if (begun.kind === 'open') return { ...begun, wasLeft };
      this.#absorb(state, begun.sums);
    }
  }

  #absorb(state: ShardState, sums: RoundSums): void {
    const { problem, ...changes } = absorbed(state, sums, null);
    expect(problem).toBeNull();
    Object.assign(state, changes);
  }

  /** The sums that the shard would return. */
  rowsOf(shard: number): RowCounts {
    return this.#shard(shard).state.rows;
  }

  /** `unanswered`: what becomes of rows in shards that closed no round. */
  async assemble(generation: number, unanswered: RowErrorType, others: ReadonlyMap<number, RowErrorType>) {
    const accounts = Array.from({ length: this.#planned.shards }, (_, shard): ShardAccount => {
      const { rows } = this.#shard(shard).state;
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
    const fresh = freshRun('normal');
    this.#shards.set(shard, fresh);
    return fresh;
  }

  async #lines(path: string, whole = false): Promise<readonly Wire[]> {
    const text = await textIn(this.#store, path);
    return jsonLines(whole ? JSON.stringify(JSON.parse(text)) : text);
  }

  #attempt(run: RunInfo = {}) {
    return attemptOf({ ...run, workflowId: this.#batchId });
  }
}
