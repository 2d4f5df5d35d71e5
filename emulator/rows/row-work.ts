import { join } from 'node:path';

import { digestOf, randomFrom, shuffledIndexes } from '../answers/random.js';
import type { AttemptLedger } from './attempt-ledger.js';
import { InputRows } from './input-rows.js';
import { LineFile } from './line-file.js';
import { newPace } from './pace.js';
import { renderRow } from './render-row.js';
import type { RenderedRow, RowSettings } from './render-row.js';
import type { RowEdits } from './row-edits.js';

export interface RowWorkPlan {
  readonly inputs: readonly string[];
  readonly directory: string;
  readonly name: string;
  readonly settings: RowSettings;
  readonly ledger: AttemptLedger;
  readonly edits: RowEdits;
  readonly now: () => number;
}

/** What is left of the two result files after a cut; a file without lines is removed and null. */
export interface CutResult {
  readonly output: { readonly path: string; readonly bytes: number } | null;
  readonly error: { readonly path: string; readonly bytes: number } | null;
}

/**
 * Answers a job's rows ahead of the time at which they are said to be done. Rows are answered in shuffled order, and for
 * each it is known how long both files were after it, so that a job that ends early is a cut at "the first k rows".
 * In memory: about forty bytes a row, never a row itself.
 */
export class RowWork {
  readonly #plan: RowWorkPlan;
  readonly #stop = new AbortController();
  #total: number | null = null;
  #done = 0;
  #failure: string | null = null;
  #keys = new Float64Array(0);
  #failedAfter = new Uint32Array(0);
  #outputAfter = new Float64Array(0);
  #errorAfter = new Float64Array(0);
  #output: LineFile | null = null;
  #error: LineFile | null = null;
  #finished: Promise<void> = Promise.resolve();
  #finishedAt: number | null = null;
  readonly #mark: number;

  constructor(plan: RowWorkPlan) {
    this.#plan = plan;
    this.#mark = plan.ledger.mark();
  }

  /** Rows in the input; null until it has been read. */
  get total(): number | null {
    return this.#total;
  }

  /** Rows answered so far. */
  get done(): number {
    return this.#done;
  }

  /** When the last row was answered or the work broke off, in milliseconds since the epoch; null before. */
  get finishedAt(): number | null {
    return this.#finishedAt;
  }

  /** Why the work broke off (an unreadable input, a full disk), or null. */
  get failure(): string | null {
    return this.#failure;
  }

  get finished(): Promise<void> {
    return this.#finished;
  }

  start(): void {
    this.#finished = this.#run()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          this.#failure = error instanceof Error ? error.message : String(error);
      })
      .finally(() => {
        this.#finishedAt = this.#plan.now();
      });
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Failed rows among the first `rows` answered ones. */
  failedWithin(rows: number): number {
    return rows === 0 ? 0 : (this.#failedAfter[rows - 1] ?? 0);
  }

  /** Identities of the answered rows. */
  keys(): Float64Array {
    return this.#keys.subarray(0, this.#done);
  }

  /** Cuts both files after the first `rows` answered rows. Only once `finished`. */
  async cut(rows: number): Promise<CutResult> {
    const last = rows - 1;
    const outputBytes = rows === 0 ? 0 : (this.#outputAfter[last] ?? 0);
    const errorBytes = rows === 0 ? 0 : (this.#errorAfter[last] ?? 0);
    const result = {
      output: await cutFile(this.#output, outputBytes),
      error: await cutFile(this.#error, errorBytes),
    };
    this.#forget();
    return result;
  }

  async discard(): Promise<void> {
    this.stop();
    await this.#finished;
    await this.#output?.remove();
    await this.#error?.remove();
    this.#forget();
  }

  async #run(): Promise<void> {
    const { inputs, directory, name, settings } = this.#plan;
    const rows = await InputRows.open(inputs, this.#stop.signal);
    try {
      this.#allocate(rows.count);
      const output = await LineFile.create(join(directory, `${name}-output.jsonl`));
      this.#output = output;
      try {
        const error = await LineFile.create(join(directory, `${name}-error.jsonl`));
        this.#error = error;
        try {
          const order = shuffledIndexes(rows.count, randomFrom(digestOf(settings.seed, 'order', rows.count)));
          await this.#answerAll(rows, order, output, error);
        } finally {
          await error.close();
        }
      } finally {
        await output.close();
      }
    } finally {
      await rows.close();
    }
  }

  async #answerAll(rows: InputRows, order: Uint32Array, output: LineFile, error: LineFile): Promise<void> {
    const { settings, ledger, edits } = this.#plan;
    const pace = newPace();
    const attemptsOf = (key: number) => ledger.attemptsOf(key, this.#mark);
    for (const line of edits.prologue) appendLine(output, line, edits);
    for (const index of order) {
      if (this.#stop.signal.aborted) return;
      const row = renderRow(rows.text(index), index, settings, attemptsOf, edits.demandedError);
      const file = row.failed && !edits.failuresInOutput ? error : output;
      for (const line of edits.edit(row, index)) appendLine(file, line, edits);
      this.#note(row, output, error);
      if (output.isFull || error.isFull) await Promise.all([output.flush(), error.flush()]);
      const pause = pace();
      if (pause !== undefined) await pause;
    }
  }

  #allocate(rows: number): void {
    this.#keys = new Float64Array(rows);
    this.#failedAfter = new Uint32Array(rows);
    this.#outputAfter = new Float64Array(rows);
    this.#errorAfter = new Float64Array(rows);
    this.#total = rows;
  }

  #note(row: RenderedRow, output: LineFile, error: LineFile): void {
    const at = this.#done;
    this.#keys[at] = row.key;
    this.#failedAfter[at] = this.failedWithin(at) + (row.failed ? 1 : 0);
    this.#outputAfter[at] = output.bytes;
    this.#errorAfter[at] = error.bytes;
    this.#done = at + 1;
  }

  #forget(): void {
    this.#keys = new Float64Array(0);
    this.#failedAfter = new Uint32Array(0);
    this.#outputAfter = new Float64Array(0);
    this.#errorAfter = new Float64Array(0);
  }
}

/** A line without an end of its own is ended by the next one: so the last one has none wherever the file is cut. */
function appendLine(file: LineFile, line: string, { lineEnd, lastLineEnd }: RowEdits): void {
  if (lastLineEnd) file.append(line + lineEnd);
  else file.append(file.bytes === 0 ? line : lineEnd + line);
}

async function cutFile(
  file: LineFile | null,
  bytes: number,
): Promise<{ readonly path: string; readonly bytes: number } | null> {
  if (file === null) return null;
  if (bytes === 0) {
    await file.remove();
    return null;
  }
  await file.cutTo(bytes);
  return { path: file.path, bytes };
}
