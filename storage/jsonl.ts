import type { StoreWriter, WrittenFile } from './store.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const EMPTY = Buffer.alloc(0);

export interface Line {
  /** Without the line end and, on the first line, without a byte order mark. Empty when `tooLong` is set. */
  readonly bytes: Buffer;
  /** 1-based, blank lines counted. */
  readonly line: number;
  /** Where `bytes` begin in the source, in bytes. */
  readonly offset: number;
  /** Length in bytes of a line over the limit, whose content was not kept; null for all others. */
  readonly tooLong: number | null;
}

export interface ReadLinesOptions {
  /** Longer lines come as `tooLong`, so that memory stays bounded whatever the input holds. */
  readonly maxLineBytes?: number;
}

/**
 * Splits bytes into lines at `\n`, a `\r` before it or at the very end included. Blank lines (spaces, tabs,
 * returns) are counted and left out; the last line needs no line end. Lines come in batches, one per chunk of
 * the source, because awaiting each would cost more than finding it. `bytes` may be views of the chunks: a
 * source must not reuse them.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  options: ReadLinesOptions = {},
): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter(options.maxLineBytes ?? Number.POSITIVE_INFINITY);
  // The first bytes, as long as they may still turn out to be a byte order mark.
  let head: Buffer | null = EMPTY;
  for await (const chunk of source) {
    let bytes = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (head !== null) {
      head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
      if (head.length < BOM.length && BOM.subarray(0, head.length).equals(head)) continue;
      bytes = splitter.skipMark(head);
      head = null;
    }
    const lines = splitter.push(bytes);
    if (lines.length > 0) yield lines;
  }
  const last = [...splitter.push(head ?? EMPTY), ...splitter.end()];
  if (last.length > 0) yield last;
}

class LineSplitter {
  readonly #maxBytes: number;
  /** Bytes of the source before the chunk at hand. */
  #consumed = 0;
  #line = 1;
  /** The beginning of a line whose end is still to come; not kept once it is over the limit. */
  #parts: Buffer[] = [];
  #length = 0;
  #lastByte = 0;
  #blank = true;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  skipMark(head: Buffer): Buffer {
    if (!head.subarray(0, BOM.length).equals(BOM)) return head;
    this.#consumed = BOM.length;
    return head.subarray(BOM.length);
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (this.#length === 0) this.#addWhole(lines, chunk, start, end);
      else this.#addCarried(lines, chunk.subarray(start, end), this.#consumed + end);
      this.#line += 1;
      start = end + 1;
    }
    if (start < chunk.length) this.#carry(chunk.subarray(start));
    this.#consumed += chunk.length;
    return lines;
  }

  end(): Line[] {
    const lines: Line[] = [];
    this.#addCarried(lines, EMPTY, this.#consumed);
    return lines;
  }

  #addWhole(lines: Line[], chunk: Buffer, start: number, lineEnd: number): void {
    const end = lineEnd > start && chunk[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
    if (isBlank(chunk, start, end)) return;
    const offset = this.#consumed + start;
    if (end - start > this.#maxBytes) this.#addTooLong(lines, offset, end - start);
    else lines.push({ bytes: chunk.subarray(start, end), line: this.#line, offset, tooLong: null });
  }

  #addCarried(lines: Line[], rest: Buffer, lineEnd: number): void {
    if (rest.length > 0) this.#carry(rest);
    const offset = lineEnd - this.#length;
    const length = this.#lastByte === RETURN ? this.#length - 1 : this.#length;
    if (!this.#blank) {
      if (length > this.#maxBytes) this.#addTooLong(lines, offset, length);
      else {
        const bytes = Buffer.concat(this.#parts, this.#length).subarray(0, length);
        lines.push({ bytes, line: this.#line, offset, tooLong: null });
      }
    }
    this.#parts = [];
    this.#length = 0;
    this.#lastByte = 0;
    this.#blank = true;
  }

  #addTooLong(lines: Line[], offset: number, length: number): void {
    lines.push({ bytes: EMPTY, line: this.#line, offset, tooLong: length });
  }

  #carry(part: Buffer): void {
    this.#length += part.length;
    this.#lastByte = part[part.length - 1] ?? 0;
    this.#blank &&= isBlank(part, 0, part.length);
    // One byte more than the limit may still be the return of a line end.
    if (this.#length <= this.#maxBytes + 1) this.#parts.push(part);
    else this.#parts = [];
  }
}

/** JSON's own white space: what else is between two line ends is a row, if only an invalid one. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index];
    if (byte !== 0x20 && byte !== 0x09 && byte !== RETURN) return false;
  }
  return true;
}

/** Writes lines through a store's writer; every line ends in `\n`, the last one included. */
export class LineWriter {
  readonly #writer: StoreWriter;
  #lines = 0;

  constructor(writer: StoreWriter) {
    this.#writer = writer;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Bytes so far, line ends included: the offset of the next line. */
  get bytes(): number {
    return this.#writer.bytes;
  }

  /** A line without its end; the file is only as long as its lines if each is awaited before the next. */
  write(line: string | Uint8Array): Promise<void> {
    if (typeof line === 'string' ? line.includes('\n') : line.includes(NEWLINE)) {
      return Promise.reject(new TypeError('A line of JSONL contains a line end'));
    }
    this.#lines += 1;
    const written = this.#writer.write(line);
    const ended = this.#writer.write('\n');
    // Almost always both were only buffered and are the writer's one resolved promise.
    return written === ended ? ended : Promise.all([written, ended]).then(() => undefined);
  }

  commit(): Promise<WrittenFile> {
    return this.#writer.commit();
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
