import { parseJson } from '../batch/json-text.js';
import { layout } from '../batch/layout.js';
import { isUnfinished } from '../batch/round-selection.js';
import { RowTally } from '../batch/rows.js';
import type { RowCounts, RowErrorType } from '../batch/rows.js';
import type { FileReference } from '../batch/manifest.js';
import { invalidRowSchema } from '../schemas/records.js';
import type { InvalidRowRecord, Plan } from '../schemas/records.js';
import { BatchCursor } from '../storage/batch-cursor.js';
import { customIdOf } from '../storage/custom-id.js';
import { readLines } from '../storage/jsonl.js';
import { errorLine, resultLine } from '../storage/result-line.js';
import { AnswerMerge } from '../storage/round-answers.js';
import { openRowIndex } from '../storage/row-index.js';
import { shardRows } from '../storage/shard-rows.js';
import type { Store, StoreWriter } from '../storage/store.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import { asClosedRound, closedAccounts } from './closed-rounds.js';
import type { AssembleInput } from './contract.js';
import { rowMessage } from './row-message.js';

type Unanswered = Pick<AssembleInput, 'unanswered' | 'unansweredShards'>;

export interface MergedRows {
  readonly rows: RowCounts;
  readonly answered: number;
  /** Rows that the same command would send once more. */
  readonly unfinished: number;
  readonly usage: Readonly<Record<string, number>>;
}

export interface MergedResults extends MergedRows {
  readonly results: Omit<FileReference, 'uri'>;
  readonly errors: Omit<FileReference, 'uri'>;
}

/** `results.jsonl` and `errors.jsonl` on their way: one line for each row, in the order of the input. */
export class ResultFiles {
  readonly #results: StoreWriter;
  readonly #errors: StoreWriter;

  static async open(store: Store, batchId: string): Promise<ResultFiles> {
    const results = await store.openWriter(layout.results(batchId));
    try {
      return new ResultFiles(results, await store.openWriter(layout.errors(batchId)));
    } catch (error) {
      await results.abort();
      throw error;
    }
  }

  private constructor(results: StoreWriter, errors: StoreWriter) {
    this.#results = results;
    this.#errors = errors;
  }

  merge(store: Store, attempt: Attempt, plan: Plan, input: Unanswered): Promise<MergedRows> {
    return new ResultMerge(store, attempt, plan, { results: this.#results, errors: this.#errors }).run(input);
  }

  async commit(merged: MergedRows): Promise<MergedResults> {
    const { rows } = merged;
    const results = await this.#results.commit();
    const errors = await this.#errors.commit();
    return {
      ...merged,
      results: { rows: rows.total, bytes: results.bytes, sha256: results.sha256 },
      errors: { rows: rows.total - rows.succeeded, bytes: errors.bytes, sha256: errors.sha256 },
    };
  }

  /** Removes what was not committed. */
  async abort(): Promise<void> {
    await this.#results.abort();
    await this.#errors.abort();
  }
}

class ResultMerge {
  readonly #store: Store;
  readonly #attempt: Attempt;
  readonly #plan: Plan;
  readonly #out: { readonly results: StoreWriter; readonly errors: StoreWriter };
  readonly #tally = new RowTally();
  readonly #usage = new Map<string, number>();
  #unfinished = 0;
  readonly #invalid: BatchCursor<InvalidRowRecord>;

  constructor(
    store: Store,
    attempt: Attempt,
    plan: Plan,
    out: { readonly results: StoreWriter; readonly errors: StoreWriter },
  ) {
    this.#store = store;
    this.#attempt = attempt;
    this.#plan = plan;
    this.#out = out;
    this.#invalid = new BatchCursor(plan.invalid === 0 ? nothing() : invalidRows(store, attempt));
  }

  async run(input: Unanswered): Promise<MergedRows> {
    const exceptions = new Map<number, RowErrorType>();
    for (const { error, shards } of input.unansweredShards) {
      for (const shard of shards) exceptions.set(shard, error);
    }
    try {
      await this.#invalid.advance();
      for (let shard = 0; shard < this.#plan.shards.length; shard += 1) {
        await this.#shard(shard, exceptions.get(shard) ?? input.unanswered);
      }
      await this.#invalidBefore(Number.POSITIVE_INFINITY);
    } finally {
      await this.#invalid.close();
    }
    return {
      rows: this.#tally.counts(),
      answered: this.#tally.answered,
      unfinished: this.#unfinished,
      usage: Object.fromEntries(this.#usage),
    };
  }

  /** The first round has all rows of its shard: either each row has a last word, or none has. */
  async #shard(shard: number, unanswered: RowErrorType): Promise<void> {
    const { batchId } = this.#attempt;
    const accounts = await closedAccounts(this.#store, batchId, shard);
    if (accounts.length === 0) return this.#unansweredShard(shard, unanswered);
    const rounds = accounts.map((account) => asClosedRound(batchId, account));
    const merge = new AnswerMerge(this.#store, rounds, this.#attempt.signal);
    const index = await openRowIndex(this.#store, layout.shardIndex(batchId, shard));
    try {
      for await (const entries of index.read({ signal: this.#attempt.signal })) {
        for (const { position } of entries) await this.#answeredRow(shard, position, merge);
        this.#attempt.beat(`${this.#tally.total} rows merged`);
      }
      await merge.verify();
    } finally {
      await merge.close();
    }
  }

  async #answeredRow(shard: number, position: number, merge: AnswerMerge): Promise<void> {
    const answer = await merge.lastWord(position);
    if (answer === null) {
      await merge.verifyRest();
      throw new BatchError(
        'AccountingMismatch',
        `row ${position} of shard ${shard} is in no round of ${this.#store.uriOf(layout.rounds(this.#attempt.batchId))}`,
      );
    }
    await this.#invalidBefore(position);
    const { head, result } = answer;
    for (const [field, value] of Object.entries(head.usage ?? {})) {
      this.#usage.set(field, (this.#usage.get(field) ?? 0) + value);
    }
    if (isUnfinished(head)) this.#unfinished += 1;
    await this.#put(result, head.error, head.line);
  }

  async #unansweredShard(shard: number, error: RowErrorType): Promise<void> {
    const message = rowMessage(error, null);
    for await (const rows of shardRows(this.#store, this.#attempt.batchId, shard, this.#attempt.signal)) {
      for (const row of rows) {
        await this.#invalidBefore(row.position);
        this.#unfinished += 1;
        const facts = { response: null, error: { type: error, message }, round: 0 };
        await this.#put(
          resultLine({ customId: row.generatedId ? null : customIdOf(row.bytes), ...facts }),
          error,
          row.line,
        );
      }
      this.#attempt.beat(`${this.#tally.total} rows merged`);
    }
  }

  async #invalidBefore(position: number): Promise<void> {
    for (
      let row = this.#invalid.current;
      row !== null && row.position < position;
      row = await this.#invalid.advance()
    ) {
      const error = { type: 'invalid_row', message: row.reason } as const;
      const result = resultLine({ customId: row.customId, response: null, error, round: 0 });
      await this.#put(result, 'invalid_row', row.line);
    }
  }

  async #put(result: Buffer, error: RowErrorType | null, line: number): Promise<void> {
    this.#tally.add(error);
    await this.#out.results.write(result);
    await this.#out.results.write('\n');
    if (error === null) return;
    await this.#out.errors.write(errorLine(result, line));
    await this.#out.errors.write('\n');
  }
}

async function* nothing(): AsyncGenerator<InvalidRowRecord[]> {
  yield* [];
}

async function* invalidRows(store: Store, { batchId, signal }: Attempt): AsyncGenerator<InvalidRowRecord[]> {
  const path = layout.invalid(batchId);
  for await (const lines of readLines(store.read(path, { signal }))) {
    yield lines.map(({ bytes, line }) => {
      // The parser's own error would quote what it could not read.
      const row = invalidRowSchema.safeParse(parseJson(bytes.toString('utf8')));
      if (row.success) return row.data;
      const message = `${store.uriOf(path)}, line ${line}, does not read as Longhaul wrote it; restore the file`;
      throw new BatchError('IntegrityMismatch', message);
    });
  }
}
