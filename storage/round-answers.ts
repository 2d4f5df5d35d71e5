import { roundFile } from '../batch/layout.js';
import { readAnswerLine } from './answer-line.js';
import type { AnswerHead } from './answer-line.js';
import { BatchCursor } from './batch-cursor.js';
import { StorageError } from './errors.js';
import { hashing } from './hash.js';
import { readLines } from './jsonl.js';
import type { Store } from './store.js';

export interface RoundAnswer {
  readonly round: number;
  readonly head: AnswerHead;
  /** The row's line of `results.jsonl`. */
  readonly result: Buffer;
}

export interface ClosedRound {
  readonly round: number;
  readonly folder: string;
  /** SHA-256 of `answers.jsonl`, from the round's account. */
  readonly sha256: string;
}

/**
 * The closed rounds of one shard side by side, in order of position. Each round has the rows that it took from
 * the rounds before it, so the last round with a row has the last word on it.
 */
export class AnswerMerge {
  readonly #store: Store;
  readonly #rounds: {
    readonly closed: ClosedRound;
    readonly cursor: BatchCursor<RoundAnswer>;
    readonly digest: () => string;
  }[];

  constructor(store: Store, rounds: readonly ClosedRound[], signal?: AbortSignal) {
    this.#store = store;
    this.#rounds = rounds.map((closed) => {
      const path = roundFile.answers(closed.folder);
      const source = hashing(store.read(path, signal === undefined ? {} : { signal }));
      return {
        closed,
        cursor: new BatchCursor(parse(store, path, closed.round, source.bytes)),
        digest: source.digest,
      };
    });
  }

  /** The last word on the row at `position`, or null. Positions must be asked for in ascending order. */
  async lastWord(position: number): Promise<RoundAnswer | null> {
    let last: RoundAnswer | null = null;
    for (const { cursor } of this.#rounds) {
      let answer = cursor.current;
      if (answer === null || answer.head.position < position) {
        answer = cursor.tryAdvance() ? cursor.current : await cursor.advance();
      }
      if (answer?.head.position === position && (last === null || answer.round > last.round)) last = answer;
    }
    return last;
  }

  /** Ends the reading: every file must have been read to its end and be the one that its account closed. */
  async verify(): Promise<void> {
    for (const { closed, cursor, digest } of this.#rounds) {
      const rest = await cursor.advance();
      if (rest !== null || digest() !== closed.sha256) throw this.#notClosed(closed);
    }
  }

  /** The same for files that have not been read to their end: tells a file that was changed from one that is wrong. */
  async verifyRest(): Promise<void> {
    for (const { closed, cursor, digest } of this.#rounds) {
      while ((await cursor.advance()) !== null);
      if (digest() !== closed.sha256) throw this.#notClosed(closed);
    }
  }

  async close(): Promise<void> {
    for (const { cursor } of this.#rounds) await cursor.close();
  }

  #notClosed({ folder }: ClosedRound): StorageError {
    const path = roundFile.answers(folder);
    return new StorageError(
      'IntegrityMismatch',
      path,
      `${this.#store.uriOf(path)} is not the file that its account.json closed; restore both, or remove both and run the same command again while the provider still has the job’s output`,
    );
  }
}

async function* parse(
  store: Store,
  path: string,
  round: number,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<RoundAnswer[]> {
  for await (const lines of readLines(bytes)) {
    yield lines.map((line) => {
      const answer = readAnswerLine(line.bytes);
      if (answer !== null) return { round, ...answer };
      const message = `${store.uriOf(path)}, line ${line.line}, does not read as Longhaul wrote it; restore the file`;
      throw new StorageError('IntegrityMismatch', path, message);
    });
  }
}
