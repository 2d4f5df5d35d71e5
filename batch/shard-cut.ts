/** `runBatch` never continues as new; 2,000 children are what one history holds comfortably. */
export const MAX_SHARDS = 2_000;

export interface ShardLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Cuts consecutive rows into shards that keep to both limits. A row may not be longer than `maxBytes`. */
export class ShardCutter {
  readonly #limits: ShardLimits;
  #rows = 0;
  #bytes = 0;
  shard = -1;

  constructor(limits: ShardLimits) {
    this.#limits = limits;
  }

  /** Shard of the next row; `bytes` counts its line end. */
  place(bytes: number): number {
    const full = this.#rows >= this.#limits.maxRows || this.#bytes + bytes > this.#limits.maxBytes;
    if (this.shard === -1 || full) {
      this.shard += 1;
      this.#rows = 0;
      this.#bytes = 0;
    }
    this.#rows += 1;
    this.#bytes += bytes;
    return this.shard;
  }
}
