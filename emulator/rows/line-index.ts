/**
 * Finds the non-blank lines of a byte stream without keeping them: where each begins and how long it is, without its
 * line ending. A line that holds only white space is no row; a missing last newline is fine.
 */
export class LineIndex {
  #offsets: Float64Array;
  #lengths: Uint32Array;
  #count = 0;
  #position = 0;
  #lineStart = 0;
  #contentStart = -1;
  #lastContent = -1;
  readonly #keep: boolean;

  /** `keep: false` only counts, in constant memory. */
  constructor(options: { readonly keep: boolean; readonly expected?: number }) {
    this.#keep = options.keep;
    const capacity = options.keep ? Math.max(options.expected ?? 0, 1024) : 0;
    this.#offsets = new Float64Array(capacity);
    this.#lengths = new Uint32Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#position;
  }

  /** Offset and byte length of a row. Only with `keep: true`. */
  at(row: number): { readonly offset: number; readonly length: number } {
    const offset = this.#offsets[row];
    const length = this.#lengths[row];
    if (!this.#keep || row >= this.#count || offset === undefined || length === undefined) {
      throw new RangeError(`There is no row ${row} among ${this.#count}.`);
    }
    return { offset, length };
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      const newline = chunk.indexOf(0x0a, from);
      const end = newline === -1 ? chunk.length : newline;
      this.#extendLine(chunk, from, end);
      if (newline === -1) break;
      this.#closeLine();
      this.#lineStart = this.#position + newline + 1;
      from = newline + 1;
    }
    this.#position += chunk.length;
  }

  end(): void {
    this.#closeLine();
    this.#lineStart = this.#position;
  }

  #extendLine(chunk: Uint8Array, from: number, end: number): void {
    let first = from;
    if (this.#contentStart === -1) {
      while (first < end && isBlank(chunk[first])) first += 1;
      if (first === end) return;
      this.#contentStart = this.#position + first;
    }
    let last = end - 1;
    while (last >= first && isBlank(chunk[last])) last -= 1;
    if (last >= first) this.#lastContent = this.#position + last;
  }

  #closeLine(): void {
    if (this.#contentStart !== -1) {
      if (this.#keep) this.#store(this.#lineStart, this.#lastContent + 1 - this.#lineStart);
      this.#count += 1;
    }
    this.#contentStart = -1;
    this.#lastContent = -1;
  }

  #store(offset: number, length: number): void {
    if (this.#count === this.#offsets.length) {
      const offsets = new Float64Array(this.#count * 2);
      const lengths = new Uint32Array(this.#count * 2);
      offsets.set(this.#offsets);
      lengths.set(this.#lengths);
      this.#offsets = offsets;
      this.#lengths = lengths;
    }
    this.#offsets[this.#count] = offset;
    this.#lengths[this.#count] = length;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}
