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

/** The answers of an `answers.jsonl` that no account speaks of yet, by position; none where there is no such file. */
export async function* earlierAnswers(
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
