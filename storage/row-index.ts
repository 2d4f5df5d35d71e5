import { StorageError } from './errors.js';
import type { SealedFile, Store, StoreWriter, WrittenFile } from './store.js';

/**
 * The `.idx` file beside a shard: where each of its rows stands. Fixed-width little-endian records after a
 * header, so that the n-th row is found by one read.
 *
 * header (16 bytes): "LHIDX1", record size u16, zeros
 * record (24 bytes): position u32, line u32, offset u64, length u32, flags u32
 */
const MAGIC = 'LHIDX1';
const HEADER_BYTES = 16;
const RECORD_BYTES = 24;
const FLAG_GENERATED_ID = 1;
const CHUNK_RECORDS = 16_384;
const U32 = 2 ** 32;

export interface RowIndexEntry {
  /** 0-based number of the row among the rows of the whole input. */
  readonly position: number;
  /** 1-based physical line in the input. */
  readonly line: number;
  /** Where the row's bytes begin in the shard. */
  readonly offset: number;
  /** Bytes of the row in the shard, without the line end. */
  readonly length: number;
  /** The row came without a `custom_id`: results show null for it. */
  readonly generatedId: boolean;
}

/** Takes over the writer: commit and abort go through this. */
export class RowIndexWriter {
  readonly #writer: StoreWriter;
  #chunk = Buffer.alloc(HEADER_BYTES + CHUNK_RECORDS * RECORD_BYTES);
  #used = HEADER_BYTES;
  #records = 0;

  constructor(writer: StoreWriter) {
    this.#writer = writer;
    this.#chunk.write(MAGIC, 0, 'latin1');
    this.#chunk.writeUInt16LE(RECORD_BYTES, MAGIC.length);
  }

  get records(): number {
    return this.#records;
  }

  async add(entry: RowIndexEntry): Promise<void> {
    if (this.#used + RECORD_BYTES > this.#chunk.length) await this.#flush();
    const at = this.#used;
    this.#chunk.writeUInt32LE(entry.position, at);
    this.#chunk.writeUInt32LE(entry.line, at + 4);
    this.#chunk.writeUInt32LE(entry.offset % U32, at + 8);
    this.#chunk.writeUInt32LE(Math.floor(entry.offset / U32), at + 12);
    this.#chunk.writeUInt32LE(entry.length, at + 16);
    this.#chunk.writeUInt32LE(entry.generatedId ? FLAG_GENERATED_ID : 0, at + 20);
    this.#used += RECORD_BYTES;
    this.#records += 1;
  }

  async commit(): Promise<WrittenFile> {
    await this.#flush();
    return this.#writer.commit();
  }

  async seal(): Promise<SealedFile> {
    await this.#flush();
    return this.#writer.seal();
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }

  async #flush(): Promise<void> {
    await this.#writer.write(this.#chunk.subarray(0, this.#used));
    this.#used = 0;
  }
}

export interface RowIndex {
  readonly records: number;
  /** The n-th record, 0-based; RangeError outside of `[0, records)`. */
  readAt(recordNumber: number): Promise<RowIndexEntry>;
  /** Records `[from, to)` in order, in batches. */
  read(range?: { from?: number; to?: number; signal?: AbortSignal }): AsyncIterable<RowIndexEntry[]>;
}

/** Checks header and length; throws StorageMismatch when there is no index, IntegrityMismatch for a broken one. */
export async function openRowIndex(store: Store, path: string): Promise<RowIndex> {
  const file = await store.stat(path);
  if (file === null) {
    const message = `Can't read ${path} in ${store.uri}: it does not exist. Check that this is the store that the batch was prepared in.`;
    throw new StorageError('StorageMismatch', path, message);
  }
  const header = await readExactly(store, path, 0, HEADER_BYTES);
  const isOurs = header.subarray(0, MAGIC.length).toString('latin1') === MAGIC;
  const records = (file.bytes - HEADER_BYTES) / RECORD_BYTES;
  if (!isOurs || header.readUInt16LE(MAGIC.length) !== RECORD_BYTES || !Number.isInteger(records)) {
    throw broken(store, path, 'it is not a row index, or was cut off');
  }
  return {
    records,
    readAt: async (recordNumber) => {
      if (!Number.isInteger(recordNumber) || recordNumber < 0 || recordNumber >= records) {
        throw new RangeError(`${path} has no record ${recordNumber}: it has ${records}`);
      }
      const start = HEADER_BYTES + recordNumber * RECORD_BYTES;
      return decode(await readExactly(store, path, start, start + RECORD_BYTES), 0);
    },
    read: ({ from = 0, to = records, signal } = {}) =>
      readRecords(store, path, Math.max(0, from), Math.min(to, records), signal),
  };
}

async function* readRecords(
  store: Store,
  path: string,
  from: number,
  to: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowIndexEntry[]> {
  if (from >= to) return;
  const start = HEADER_BYTES + from * RECORD_BYTES;
  const end = HEADER_BYTES + to * RECORD_BYTES;
  let rest = Buffer.alloc(0);
  let read = from;
  for await (const chunk of store.read(
    path,
    signal === undefined ? { start, end } : { start, end, signal },
  )) {
    const bytes = Buffer.concat([rest, chunk]);
    const entries: RowIndexEntry[] = [];
    let at = 0;
    for (; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) entries.push(decode(bytes, at));
    rest = bytes.subarray(at);
    read += entries.length;
    if (entries.length > 0) yield entries;
  }
  if (read !== to) throw broken(store, path, `it ended after record ${read}, not ${to}`);
}

function decode(bytes: Buffer, at: number): RowIndexEntry {
  return {
    position: bytes.readUInt32LE(at),
    line: bytes.readUInt32LE(at + 4),
    offset: bytes.readUInt32LE(at + 8) + bytes.readUInt32LE(at + 12) * U32,
    length: bytes.readUInt32LE(at + 16),
    generatedId: (bytes.readUInt32LE(at + 20) & FLAG_GENERATED_ID) !== 0,
  };
}

async function readExactly(store: Store, path: string, start: number, end: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(path, { start, end })) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== end - start) throw broken(store, path, 'it is shorter than it should be');
  return bytes;
}

function broken(store: Store, path: string, reason: string): StorageError {
  const message = `Can't use ${path} in ${store.uri}: ${reason}. Restore the file, or start with another --id.`;
  return new StorageError('IntegrityMismatch', path, message);
}
