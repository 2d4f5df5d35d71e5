import { roundKeyText } from '../batch/keys.js';
import { layout, roundFile } from '../batch/layout.js';
import { takesRow } from '../batch/round-selection.js';
import type { RowState } from '../batch/round-selection.js';
import { RowTally } from '../batch/rows.js';
import type { RowCounts } from '../batch/rows.js';
import type { Plan } from '../schemas/records.js';
import { BatchCursor } from '../storage/batch-cursor.js';
import { hashing, LinesHash, sha256Hex } from '../storage/hash.js';
import { readLines } from '../storage/jsonl.js';
import { AnswerMerge } from '../storage/round-answers.js';
import type { RoundAnswer } from '../storage/round-answers.js';
import { shardRows } from '../storage/shard-rows.js';
import type { ShardRow } from '../storage/shard-rows.js';
import { currentAttempt } from './attempt.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import { asClosedRound, closedAccounts, readAccount } from './closed-rounds.js';
import type { BeginRoundInput, BeginRoundResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { requirePlan } from './records.js';
import { mayHaveJob } from './sent-creates.js';

/**
 * Where a round stands: closed, begun, or to be begun now by writing its input.
 *
 * *Idempotency*: `input.jsonl` is created once; later attempts and runs find it and go on with it.
 * *Retries*: from the start; a file that was cut off by a crash never became visible.
 * *Cancellation*: between two pieces; nothing is left behind.
 */
export async function beginRound(deps: ActivityDeps, input: BeginRoundInput): Promise<BeginRoundResult> {
  const attempt = currentAttempt();
  const plan = await requirePlan(deps.store, attempt.batchId);
  const round = new RoundStart(deps, attempt, plan, input);
  return (await round.closed()) ?? (await round.standing()) ?? (await round.begin());
}

class RoundStart {
  readonly #deps: ActivityDeps;
  readonly #attempt: Attempt;
  readonly #plan: Plan;
  readonly #input: BeginRoundInput;
  readonly #path: string;

  constructor(deps: ActivityDeps, attempt: Attempt, plan: Plan, input: BeginRoundInput) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#plan = plan;
    this.#input = input;
    this.#path = roundFile.input(layout.round(attempt.batchId, input.shard, input.round));
  }

  async closed(): Promise<BeginRoundResult | null> {
    const { shard, round } = this.#input;
    const account = await readAccount(this.#deps.store, this.#attempt.batchId, shard, round);
    if (account === null) return null;
    const { rows, answered, takes, retryable, failure, key } = account;
    return { kind: 'closed', key, sums: { rows, answered, takes, retryable, failure } };
  }

  /** A round that was begun before: by an earlier run, or an earlier attempt of this one. */
  async standing(): Promise<BeginRoundResult | null> {
    if ((await this.#deps.store.stat(this.#path)) === null) return null;
    const { signal } = this.#attempt;
    const source = hashing(this.#deps.store.read(this.#path, { signal }));
    const sent = new BatchCursor(readLines(source.bytes));
    const taken = new RowTally();
    let rows = 0;
    let bytes = 0;
    try {
      await sent.advance();
      await this.#eachRow(async (row, last) => {
        if (sent.current === null || !sent.current.bytes.equals(row.bytes)) return;
        rows += 1;
        bytes += row.bytes.length + 1;
        if (last !== null) taken.add(last.head.error);
        if (!sent.tryAdvance()) await sent.advance();
      });
      if (sent.current !== null) throw this.#foreign();
    } finally {
      await sent.close();
    }
    const sums = { rows, bytes, sha256: source.digest(), takes: taken.counts() };
    return this.#open(
      sums,
      await mayHaveJob(
        this.#deps.store,
        layout.round(this.#attempt.batchId, this.#input.shard, this.#input.round),
      ),
    );
  }

  async begin(): Promise<BeginRoundResult> {
    if (!this.#input.mayBegin) return { kind: 'none' };
    const writer = await this.#deps.store.openWriter(this.#path, { ifAbsent: true });
    const taken = new RowTally();
    let rows = 0;
    try {
      await this.#eachRow(async (row, last) => {
        if (!takesRow(stateOf(last), this.#input.mode)) return;
        rows += 1;
        if (last !== null) taken.add(last.head.error);
        await writer.write(row.bytes);
        await writer.write('\n');
      });
      if (rows === 0) {
        await writer.abort();
        return { kind: 'none' };
      }
      const { bytes, sha256, created } = await writer.commit();
      // Another attempt was faster; what it wrote is the round.
      if (!created) return (await this.standing()) ?? { kind: 'none' };
      return this.#open({ rows, bytes, sha256, takes: taken.counts() }, false);
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** The shard's rows in order, each with the last word that earlier rounds have on it. */
  async #eachRow(visit: (row: ShardRow, last: RoundAnswer | null) => Promise<void>): Promise<void> {
    const { shard, round } = this.#input;
    const { batchId, signal, beat } = this.#attempt;
    const { store } = this.#deps;
    const accounts = await closedAccounts(store, batchId, shard, round);
    const merge = new AnswerMerge(
      store,
      accounts.map((account) => asClosedRound(batchId, account)),
      signal,
    );
    const hash = new LinesHash();
    let seen = 0;
    try {
      for await (const rows of shardRows(store, batchId, shard, signal)) {
        for (const row of rows) {
          hash.add(row.bytes);
          await visit(row, accounts.length === 0 ? null : await merge.lastWord(row.position));
        }
        seen += rows.length;
        beat(`${seen} rows looked at`);
      }
      await merge.verify();
    } finally {
      await merge.close();
    }
    // Before anything is begun with them: rows that nobody planned must not be sent.
    const planned = this.#plan.shards[shard];
    if (seen !== planned?.rows || hash.digest() !== planned.sha256) throw this.#foreign();
  }

  #open(
    round: {
      readonly rows: number;
      readonly bytes: number;
      readonly sha256: string;
      readonly takes: RowCounts;
    },
    mayHave: boolean,
  ): BeginRoundResult {
    const planned = this.#plan.shards[this.#input.shard];
    // Only the first round has all rows of its shard, and it has them byte for byte.
    if (this.#input.round === 1 && round.sha256 !== planned?.sha256) throw this.#foreign();
    const { endpoint, model } = this.#plan;
    const { shard, round: number } = this.#input;
    const { batchId } = this.#attempt;
    const text = roundKeyText({ batchId, shard, round: number, inputSha256: round.sha256, endpoint, model });
    return { kind: 'open', path: this.#path, ...round, key: sha256Hex(text), mayHaveJob: mayHave };
  }

  #foreign(): BatchError {
    return new BatchError(
      'StorageMismatch',
      `${this.#deps.store.uriOf(this.#path)} or its shard is not what the plan says: the batch's folder was changed by hand or copied in part. Restore it, or start with another --id`,
    );
  }
}

function stateOf(last: RoundAnswer | null): RowState | null {
  return last === null ? null : { error: last.head.error, retryable: last.head.retryable, round: last.round };
}
