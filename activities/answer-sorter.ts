import { judgeAnswer } from '../batch/answer.js';
import type { Verdict } from '../batch/answer.js';
import type { OutputLine } from '../providers/provider.js';
import { createBucketSorter } from '../storage/bucket-sort.js';
import type { BucketSorter, RankedPayload } from '../storage/bucket-sort.js';
import { hashId } from '../storage/id-index.js';
import type { RowLookup } from '../storage/id-index.js';
import type { StoreWriter } from '../storage/store.js';

export interface AnswerSorterOptions {
  readonly dir: string;
  readonly lookup: RowLookup;
  readonly rows: number;
  readonly expectedBytes: number;
  /** Where lines go that are no row's answer. */
  readonly quarantine: StoreWriter;
}

export type QuarantineReason = 'unreadable' | 'unknown custom_id' | 'duplicate';

export interface SortedAnswer {
  readonly rank: number;
  /** The provider's line. */
  readonly line: Buffer;
}

export function judge(line: Extract<OutputLine, { kind: 'row' }>): Verdict {
  return judgeAnswer({
    statusCode: line.response?.statusCode ?? null,
    hasBody: line.response !== null && line.response.body !== null,
    hasError: line.error !== null,
    errorCode: line.error?.code,
  });
}

/**
 * Brings the provider's lines into the order of the round's rows. Of two answers for a row a success beats an error,
 * else the first counts: successes and errors are sorted apart and meet again in `sorted`.
 */
export class AnswerSorter {
  answered = 0;
  readonly #options: AnswerSorterOptions;
  readonly #successes: BucketSorter;
  readonly #errors: BucketSorter;

  static async create(options: AnswerSorterOptions): Promise<AnswerSorter> {
    const { dir, rows, expectedBytes } = options;
    const successes = await createBucketSorter({ dir, ranks: rows, expectedBytes });
    try {
      const errors = await createBucketSorter({ dir, ranks: rows, expectedBytes: expectedBytes / 8 });
      return new AnswerSorter(options, successes, errors);
    } catch (error) {
      await successes.dispose();
      throw error;
    }
  }

  private constructor(options: AnswerSorterOptions, successes: BucketSorter, errors: BucketSorter) {
    this.#options = options;
    this.#successes = successes;
    this.#errors = errors;
  }

  async add(line: Buffer, read: OutputLine): Promise<void> {
    if (read.kind === 'unreadable') return this.quarantine('unreadable', line);
    const rank = this.#options.lookup.get(hashId(read.customId));
    if (rank === -1) return this.quarantine('unknown custom_id', line);
    if (!this.#successes.has(rank) && !this.#errors.has(rank)) this.answered += 1;
    const sorter = judge(read).error === null ? this.#successes : this.#errors;
    if (!(await sorter.add(rank, line))) await this.quarantine('duplicate', line);
  }

  async quarantine(reason: QuarantineReason, line: Buffer): Promise<void> {
    await this.#options.quarantine.write(`${JSON.stringify({ reason, line: line.toString('utf8') })}\n`);
  }

  async *sorted(): AsyncGenerator<SortedAnswer> {
    const errors = this.#errors.sorted();
    let error = await nextOf(errors);
    for await (const { rank, payload } of this.#successes.sorted()) {
      for (; error !== null && error.rank < rank; error = await nextOf(errors)) yield asAnswer(error);
      if (error?.rank === rank) {
        await this.quarantine('duplicate', error.payload);
        error = await nextOf(errors);
      }
      yield { rank, line: payload };
    }
    for (; error !== null; error = await nextOf(errors)) yield asAnswer(error);
  }

  async dispose(): Promise<void> {
    await this.#successes.dispose();
    await this.#errors.dispose();
  }
}

function asAnswer({ rank, payload }: RankedPayload): SortedAnswer {
  return { rank, line: payload };
}

async function nextOf(source: AsyncGenerator<RankedPayload>): Promise<RankedPayload | null> {
  const next = await source.next();
  return next.done === true ? null : next.value;
}
