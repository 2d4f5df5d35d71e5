import { createHash, hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { PairList } from './duplicate-list.js';
import type { DuplicateList } from './duplicate-list.js';
import { IdSpill } from './id-spill.js';
import { IdTable } from './id-table.js';

const HASH_BYTES = 16;
const HASH_WORDS = 4;
const CHUNK_ROWS = 65_536;
const MAX_U32 = 2 ** 32 - 1;
const DEFAULT_ROWS_IN_MEMORY = 4_000_000;
/** Rows looked at in one pass over those in memory; bounds the table beside them to some 4 MB. */
const ROWS_PER_PASS = 131_072;

/**
 * What stands for a custom id in memory: the first 16 bytes of the SHA-256 of its UTF-8. Two of a hundred
 * million ids share one with a chance of 1 in 10^22.
 */
export function hashId(id: string): Buffer {
  // UTF-8 has no lone surrogates: all of them become U+FFFD, and different ids would seem the same.
  const digest = /\p{Surrogate}/u.test(id)
    ? createHash('sha256').update('utf-16\0').update(id, 'utf16le').digest()
    : hash('sha256', id, 'buffer');
  return digest.subarray(0, HASH_BYTES);
}

export interface DuplicateFinderOptions {
  /** For the part that does not fit into memory; created when it is needed. */
  readonly scratchDir: string;
  /** Default 4,000,000: 80 MB. */
  readonly maxRowsInMemory?: number;
}

interface Chunk {
  readonly words: Uint32Array;
  readonly lines: Uint32Array;
}

/**
 * Finds the lines whose id was used before, in memory bounded by `maxRowsInMemory`; what is beyond it goes to
 * disk, in partitions by the hash's first byte. Each call must be awaited before the next; `dispose` at the
 * end, whatever happened.
 */
export class DuplicateFinder {
  readonly #options: DuplicateFinderOptions;
  #chunks: Chunk[] = [];
  #rows = 0;
  #lastLine = 0;
  #spill: IdSpill | null = null;
  readonly #words = new Uint32Array(HASH_WORDS);

  constructor(options: DuplicateFinderOptions) {
    this.#options = options;
  }

  /** `idHash`: from `hashId`. `line`: 1-based, ascending. */
  async add(idHash: Uint8Array, line: number): Promise<void> {
    if (!Number.isInteger(line) || line <= this.#lastLine || line > MAX_U32) {
      throw new RangeError(`Line ${line} can't come after line ${this.#lastLine}`);
    }
    this.#lastLine = line;
    if (this.#spill === null && this.#rows >= (this.#options.maxRowsInMemory ?? DEFAULT_ROWS_IN_MEMORY)) {
      await this.#moveToDisk();
    }
    if (this.#spill === null) {
      this.#keep(idHash, line);
    } else {
      readWords(idHash, this.#words, 0);
      await this.#spill.add(this.#words, 0, line);
    }
    this.#rows += 1;
  }

  /** Every line with an id that an earlier line has, by line. Takes 8 bytes of memory for each. */
  async finish(): Promise<DuplicateList> {
    const pairs = new PairList();
    if (this.#spill === null) await this.#findInMemory(pairs);
    else await this.#spill.find((line, firstLine) => pairs.add(line, firstLine));
    return pairs.sorted();
  }

  async dispose(): Promise<void> {
    this.#chunks = [];
    await this.#spill?.dispose();
  }

  #keep(idHash: Uint8Array, line: number): void {
    const row = this.#rows % CHUNK_ROWS;
    const chunk = (row === 0 ? undefined : this.#chunks.at(-1)) ?? this.#addChunk();
    readWords(idHash, chunk.words, row * HASH_WORDS);
    chunk.lines[row] = line;
  }

  #addChunk(): Chunk {
    const chunk = { words: new Uint32Array(CHUNK_ROWS * HASH_WORDS), lines: new Uint32Array(CHUNK_ROWS) };
    this.#chunks.push(chunk);
    return chunk;
  }

  async #moveToDisk(): Promise<void> {
    const spill = await IdSpill.create(this.#options.scratchDir);
    this.#spill = spill;
    let left = this.#rows;
    for (const { words, lines } of this.#chunks) {
      const rows = Math.min(left, CHUNK_ROWS);
      for (let row = 0; row < rows; row += 1) await spill.add(words, row * HASH_WORDS, lines[row] ?? 0);
      left -= rows;
    }
    this.#chunks = [];
  }

  async #findInMemory(pairs: PairList): Promise<void> {
    const passes = 2 ** Math.max(0, Math.ceil(Math.log2(this.#rows / ROWS_PER_PASS)));
    for (let pass = 0; pass < passes; pass += 1) {
      const table = new IdTable(Math.ceil((this.#rows / passes) * 1.05));
      let left = this.#rows;
      for (const { words, lines } of this.#chunks) {
        const rows = Math.min(left, CHUNK_ROWS);
        for (let row = 0; row < rows; row += 1) {
          const at = row * HASH_WORDS;
          if (((words[at] ?? 0) & (passes - 1)) !== pass) continue;
          const line = lines[row] ?? 0;
          const firstLine = table.insert(words, at, line);
          if (firstLine !== -1) pairs.add(line, firstLine);
        }
        left -= rows;
      }
      // Four million rows take a second or two: let heartbeats through.
      await setImmediate();
    }
  }
}

/** From the hashes of one round's ids to row numbers, in 28 MB for a million rows. */
export class RowLookup {
  readonly #table: IdTable;
  readonly #words = new Uint32Array(HASH_WORDS);

  /** `expected` rows fit without growing. */
  constructor(expected?: number) {
    this.#table = new IdTable(expected);
  }

  get size(): number {
    return this.#table.size;
  }

  /** False when the id is known already; then it keeps its row number. */
  add(idHash: Uint8Array, rowNumber: number): boolean {
    if (!Number.isInteger(rowNumber) || rowNumber < 0 || rowNumber > MAX_U32) {
      throw new RangeError(`${rowNumber} is no row number`);
    }
    readWords(idHash, this.#words, 0);
    return this.#table.insert(this.#words, 0, rowNumber) === -1;
  }

  /** -1 for an unknown id. */
  get(idHash: Uint8Array): number {
    readWords(idHash, this.#words, 0);
    return this.#table.get(this.#words, 0);
  }
}

function readWords(bytes: Uint8Array, words: Uint32Array, at: number): void {
  if (bytes.length < HASH_BYTES)
    throw new RangeError(`A hash of an id has ${HASH_BYTES} bytes, not ${bytes.length}`);
  for (let word = 0; word < HASH_WORDS; word += 1) {
    const from = word * 4;
    words[at + word] =
      (bytes[from] ?? 0) |
      ((bytes[from + 1] ?? 0) << 8) |
      ((bytes[from + 2] ?? 0) << 16) |
      ((bytes[from + 3] ?? 0) << 24);
  }
}
