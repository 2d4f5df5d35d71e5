/**
 * Walks a source of batches one item at a time. `advance` is awaited per item, but only a new batch costs a turn of
 * the event loop: merges of a million rows stay near the speed of their reads.
 */
export class BatchCursor<T> {
  readonly #source: AsyncIterator<readonly T[]>;
  #batch: readonly T[] = [];
  #next = 0;
  #current: T | null = null;

  constructor(source: AsyncIterable<readonly T[]>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The item at hand; null before the first `advance` and after the last item. */
  get current(): T | null {
    return this.#current;
  }

  /** Moves on if the batch at hand has another item; false: `advance` must fetch one. */
  tryAdvance(): boolean {
    const item = this.#batch[this.#next];
    if (item === undefined) return false;
    this.#current = item;
    this.#next += 1;
    return true;
  }

  async advance(): Promise<T | null> {
    while (!this.tryAdvance()) {
      const next = await this.#source.next();
      if (next.done === true) {
        this.#current = null;
        return null;
      }
      this.#batch = next.value;
      this.#next = 0;
    }
    return this.#current;
  }

  /** Ends the source early, so that files are closed. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
