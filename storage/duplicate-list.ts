export interface DuplicateId {
  readonly line: number;
  /** The first line with the same id. */
  readonly firstLine: number;
}

/** Lines whose id was used before, ascending. An input may be nothing else, so each takes 8 bytes and is no object. */
export interface DuplicateList extends Iterable<DuplicateId> {
  readonly size: number;
  /** Undefined beyond the end. */
  at(index: number): DuplicateId | undefined;
}

/** (line, first line) packed into 64 bits, so that sorting by line is sorting numbers. */
export class PairList {
  #pairs = new BigUint64Array(64);
  #size = 0;

  add(line: number, firstLine: number): void {
    if (this.#size === this.#pairs.length) {
      const larger = new BigUint64Array(this.#size * 2);
      larger.set(this.#pairs);
      this.#pairs = larger;
    }
    this.#pairs[this.#size] = (BigInt(line) << 32n) | BigInt(firstLine);
    this.#size += 1;
  }

  /** Nothing may be added after it. */
  sorted(): DuplicateList {
    const pairs = this.#pairs.subarray(0, this.#size).sort();
    return {
      size: pairs.length,
      at: (index) => unpacked(pairs[index]),
      *[Symbol.iterator]() {
        for (const pair of pairs) yield unpacked(pair);
      },
    };
  }
}

function unpacked(pair: bigint): DuplicateId;
function unpacked(pair: bigint | undefined): DuplicateId | undefined;
function unpacked(pair: bigint | undefined): DuplicateId | undefined {
  return pair === undefined
    ? undefined
    : { line: Number(pair >> 32n), firstLine: Number(pair & 0xffff_ffffn) };
}
