import { mergeProgress } from '../batch/progress.js';
import type { BatchProgress, BatchProgressAnswer, ShardProgress } from '../batch/progress.js';
import { pause } from './pause.js';

/** Where the states of a batch come from. */
export interface ProgressSource {
  /** What Temporal says without any worker; `closed` once nothing more will come. */
  look(): Promise<{ readonly closed: boolean; readonly known: BatchProgress }>;
  /** Null: no worker answered in time. */
  askBatch(): Promise<BatchProgressAnswer | null>;
  askShard(shard: number): Promise<ShardProgress | null>;
  /** The last state; `latest` is the one before. */
  last(latest: BatchProgress | null): Promise<BatchProgress>;
  /** Resolves when the batch closes, or never. */
  closed(signal: AbortSignal): Promise<void>;
  now(): number;
}

/** Shards that are asked at the same time: `--max-jobs` may be hundreds. */
const ASKED_AT_ONCE = 8;

/** Adds the shards' answers up, and bridges what a missing worker leaves unanswered. */
export class ProgressView {
  readonly #source: ProgressSource;
  #shards = new Map<number, ShardProgress>();
  #latest: BatchProgress | null = null;

  constructor(source: ProgressSource) {
    this.#source = source;
  }

  /** Null: the batch has closed. */
  async take(): Promise<BatchProgress | null> {
    const { closed, known } = await this.#source.look();
    if (closed) return null;
    const batch = await this.#source.askBatch();
    // Without a worker the phase is Temporal's, the numbers are the last ones that were heard.
    if (batch === null) this.#latest = { ...(this.#latest ?? known), phase: known.phase, etaAt: null };
    else {
      await this.#askShards(batch.running);
      this.#latest = mergeProgress(batch, [...this.#shards.values()], this.#source.now());
    }
    return this.#latest;
  }

  last(): Promise<BatchProgress> {
    return this.#source.last(this.#latest);
  }

  async #askShards(running: readonly number[]): Promise<void> {
    const known = this.#shards;
    // A shard that does not answer just now keeps its last answer: numbers must not jump back.
    this.#shards = new Map([...known].filter(([shard]) => running.includes(shard)));
    const queue = [...running];
    const lane = async () => {
      for (let shard = queue.shift(); shard !== undefined; shard = queue.shift()) {
        const answer = await this.#source.askShard(shard);
        if (answer !== null) this.#shards.set(shard, answer);
      }
    };
    await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, queue.length) }, lane));
  }
}

/** States until the batch closes; the first at once, the others at least `intervalMs` apart, the last at the close. */
export async function* watchProgress(
  source: ProgressSource,
  options: { readonly intervalMs: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<BatchProgress> {
  const view = new ProgressView(source);
  const ended = new AbortController();
  const signal =
    options.signal === undefined ? ended.signal : AbortSignal.any([ended.signal, options.signal]);
  const closed = source.closed(signal);
  // Its failure ends a pause; before the first one, and after the last, nobody hears of it.
  closed.catch(() => undefined);
  try {
    for (;;) {
      const state = await view.take();
      if (state === null) break;
      yield state;
      await Promise.race([pause(options.intervalMs, signal), closed]);
    }
    yield await view.last();
  } finally {
    // Ends the wait for the close, and a pause that it won against.
    ended.abort();
  }
}
