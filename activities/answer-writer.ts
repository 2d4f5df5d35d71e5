import type { Unanswered } from '../batch/job-end.js';
import { roundFile } from '../batch/layout.js';
import { RowTally } from '../batch/rows.js';
import type { RowCounts, RowErrorType } from '../batch/rows.js';
import type { BatchProvider, OutputLine } from '../providers/provider.js';
import { answerLine } from '../storage/answer-line.js';
import type { AnswerHead } from '../storage/answer-line.js';
import { resultLine } from '../storage/result-line.js';
import type { ResultFacts } from '../storage/result-line.js';
import type { RoundRow } from '../storage/round-rows.js';
import type { SealedFile, Store, StoreWriter } from '../storage/store.js';
import type { EarlierAnswer, EarlierAnswers } from './earlier-answers.js';
import { judge } from './answer-sorter.js';
import type { SortedAnswer } from './answer-sorter.js';
import { rowMessage } from './row-message.js';

export interface UnansweredContext extends Unanswered {
  readonly jobId: string;
  readonly beat: (progress: string) => void;
  /** What an earlier attempt had for the round's rows: taken where nothing better came. */
  readonly earlier: EarlierAnswers;
}

const MALFORMED = 'the answer has no response with a body';

type Row = Extract<OutputLine, { kind: 'row' }>;

export interface SealedAnswers {
  readonly file: SealedFile;
  readonly answers: { readonly bytes: number; readonly sha256: string };
  readonly rows: RowCounts;
  readonly retryable: number;
}

/** Writes `answers.jsonl`: one line for each row of the round, in order, answered or not. */
export class AnswerWriter {
  readonly #writer: StoreWriter;
  readonly #provider: BatchProvider;
  readonly #round: number;
  readonly #tally = new RowTally();
  #retryable = 0;

  static async open(
    store: Store,
    folder: string,
    provider: BatchProvider,
    round: number,
  ): Promise<AnswerWriter> {
    return new AnswerWriter(await store.openWriter(roundFile.answers(folder)), provider, round);
  }

  private constructor(writer: StoreWriter, provider: BatchProvider, round: number) {
    this.#writer = writer;
    this.#provider = provider;
    this.#round = round;
  }

  get answered(): number {
    return this.#tally.answered;
  }

  async write(
    rows: AsyncIterable<readonly RoundRow[]>,
    answers: AsyncGenerator<SortedAnswer>,
    unanswered: UnansweredContext,
  ): Promise<void> {
    let answer = await answers.next();
    let rank = 0;
    for await (const batch of rows) {
      for (const row of batch) {
        const earlier = await unanswered.earlier.at(row.position);
        const line = answer.done !== true && answer.value.rank === rank ? answer.value.line : null;
        if (line !== null) answer = await answers.next();
        if (earlier !== null && (line === null || this.#isWorse(line, earlier))) {
          await this.#put(earlier.head, earlier.result);
        } else if (line !== null) await this.#answered(row, line);
        else await this.#unanswered(row, unanswered);
        rank += 1;
      }
      unanswered.beat(`${rank} rows written`);
    }
  }

  /** A success beats an error, whenever it came. */
  #isWorse(line: Buffer, earlier: EarlierAnswer): boolean {
    if (earlier.head.error !== null) return false;
    const read = this.#provider.readOutputLine(line);
    return read.kind === 'unreadable' || judge(read).error !== null;
  }

  /** Puts all of it on the disk, without its name yet. */
  async seal(): Promise<SealedAnswers> {
    const file = await this.#writer.seal();
    const { bytes, sha256 } = file;
    return { file, answers: { bytes, sha256 }, rows: this.#tally.counts(), retryable: this.#retryable };
  }

  async abort(): Promise<void> {
    await this.#writer.abort();
  }

  async #answered(row: RoundRow, line: Buffer): Promise<void> {
    const read = this.#provider.readOutputLine(line);
    if (read.kind === 'unreadable') throw new Error('a line that was sorted as an answer is unreadable');
    const { error, statusCode, retryable } = judge(read);
    await this.#put(
      { position: row.position, line: row.line, error, retryable, usage: read.usage },
      resultLine({
        customId: row.customId,
        response: responseOf(read, line),
        error: error === null ? null : errorOf(error, statusCode, read),
        round: this.#round,
      }),
    );
  }

  async #unanswered(row: RoundRow, { error, retryable, jobId }: UnansweredContext): Promise<void> {
    await this.#put(
      { position: row.position, line: row.line, error, retryable, usage: null },
      resultLine({
        customId: row.customId,
        response: null,
        error: { type: error, message: rowMessage(error, jobId) },
        round: this.#round,
      }),
    );
  }

  async #put(head: AnswerHead, result: Uint8Array): Promise<void> {
    this.#tally.add(head.error);
    if (head.retryable) this.#retryable += 1;
    await this.#writer.write(answerLine(head, result));
    await this.#writer.write('\n');
  }
}

function responseOf({ response }: Row, line: Buffer): ResultFacts['response'] {
  if (response === null) return null;
  const { statusCode, body } = response;
  return { statusCode, body: body === null ? null : line.subarray(body.start, body.end) };
}

function errorOf(type: RowErrorType, status: number | null, { error }: Row): ResultFacts['error'] {
  const message = error?.message ?? (type === 'malformed' ? MALFORMED : `HTTP status ${status ?? 'unknown'}`);
  return status === null ? { type, message } : { type, message, statusCode: status };
}
