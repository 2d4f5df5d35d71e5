const SLOTS_PER_ENTRY = 1.6;
const FIRST_CAPACITY = 1024;

/**
 * Maps 128-bit hashes to numbers in typed arrays: 20 bytes an entry and 6 to 13 for its slots, where a Map of
 * strings takes some 150. Open addressing, entries are never removed.
 */
export class IdTable {
  #words: Uint32Array;
  #values: Uint32Array;
  /** Index of an entry plus one; 0 is a free slot. */
  #slots: Uint32Array;
  #size = 0;

  /** `expected` entries fit without growing. */
  constructor(expected = FIRST_CAPACITY) {
    const capacity = Math.max(1, expected);
    this.#words = new Uint32Array(capacity * 4);
    this.#values = new Uint32Array(capacity);
    this.#slots = new Uint32Array(slotsFor(capacity));
  }

  get size(): number {
    return this.#size;
  }

  /** Adds the entry unless the hash is known; then the value it is known with is returned, else -1. */
  insert(words: Uint32Array, at: number, value: number): number {
    const slot = this.#slotOf(words, at);
    const entry = this.#slots[slot] ?? 0;
    if (entry !== 0) return this.#values[entry - 1] ?? 0;
    if (this.#size === this.#values.length) {
      this.#grow();
      return this.insert(words, at, value);
    }
    for (let word = 0; word < 4; word += 1) this.#words[this.#size * 4 + word] = words[at + word] ?? 0;
    this.#values[this.#size] = value;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    return -1;
  }

  /** The value of a hash, or -1. */
  get(words: Uint32Array, at: number): number {
    const entry = this.#slots[this.#slotOf(words, at)] ?? 0;
    return entry === 0 ? -1 : (this.#values[entry - 1] ?? 0);
  }

  /** The slot that holds the hash, or the free one where it belongs. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1;
    // The last word, because partitions are made by the first: within one, its bits hardly differ.
    let slot = (words[at + 3] ?? 0) & mask;
    for (;;) {
      const entry = this.#slots[slot] ?? 0;
      if (entry === 0 || this.#isEntry((entry - 1) * 4, words, at)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isEntry(own: number, words: Uint32Array, at: number): boolean {
    const known = this.#words;
    return (
      known[own] === words[at] &&
      known[own + 1] === words[at + 1] &&
      known[own + 2] === words[at + 2] &&
      known[own + 3] === words[at + 3]
    );
  }

  #grow(): void {
    this.#words = doubled(this.#words);
    this.#values = doubled(this.#values);
    this.#slots = new Uint32Array(slotsFor(this.#values.length));
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.#size; entry += 1) {
      let slot = (this.#words[entry * 4 + 3] ?? 0) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

function slotsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * SLOTS_PER_ENTRY));
}

function doubled(array: Uint32Array): Uint32Array {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
