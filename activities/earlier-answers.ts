import { roundFile } from '../batch/layout.js';
import { isAnswer } from '../batch/rows.js';
import { readAnswerLine } from '../storage/answer-line.js';
import type { AnswerHead } from '../storage/answer-line.js';
import { readLines } from '../storage/jsonl.js';
import type { Store } from '../storage/store.js';

export interface EarlierAnswer {
  readonly head: AnswerHead;
  readonly result: Buffer;
}

/** The answers of an `answers.jsonl` that no account speaks of: an attempt put them on the disk and could not close the round. */
export class EarlierAnswers {
  readonly #answers: AsyncGenerator<EarlierAnswer, void, undefined>;
  #next: EarlierAnswer | null;

  static async open(store: Store, folder: string, signal: AbortSignal): Promise<EarlierAnswers> {
    const answers = answersIn(store, folder, signal);
    return new EarlierAnswers(answers, (await answers.next()).value ?? null);
  }

  private constructor(answers: AsyncGenerator<EarlierAnswer, void, undefined>, first: EarlierAnswer | null) {
    this.#answers = answers;
    this.#next = first;
  }

  /** Before the first `at`: whether there are any. */
  get any(): boolean {
    return this.#next !== null;
  }

  /** That of a row, or null. Positions must be asked for in ascending order. */
  async at(position: number): Promise<EarlierAnswer | null> {
    while (this.#next !== null && this.#next.head.position < position) {
      this.#next = (await this.#answers.next()).value ?? null;
    }
    return this.#next?.head.position === position ? this.#next : null;
  }

  async close(): Promise<void> {
    await this.#answers.return();
  }
}

async function* answersIn(
  store: Store,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<EarlierAnswer, void, undefined> {
  const path = roundFile.answers(folder);
  if ((await store.stat(path)) === null) return;
  for await (const lines of readLines(store.read(path, { signal }))) {
    for (const { bytes } of lines) {
      const read = readAnswerLine(bytes);
      // No attempt of ours: what follows is nobody's either.
      if (read === null) return;
      if (isAnswer(read.head.error)) yield read;
    }
  }
}
