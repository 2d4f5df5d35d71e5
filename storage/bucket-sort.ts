import { mkdir, mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile } from './append-file.js';
import { StorageError } from './errors.js';
import { toStorageError } from './file-errors.js';

/**
 * A bucket is in memory as a whole, one or two of them until garbage is collected, in each of the worker's transfers:
 * smaller ones cost nothing but files (measured: the same time, 180 MB less at 440 MB of answers).
 */
const DEFAULT_BUCKET_BYTES = 16 * 1024 * 1024;
const MAX_BUCKETS = 512;
const HEADER_BYTES = 8;
/** Of all write buffers together. */
const BUFFER_BYTES = 16 * 1024 * 1024;
const SCAN_BYTES = 512 * 1024;
const READS_AT_ONCE = 64;

export interface BucketSorterOptions {
  /** Scratch folder; created if it is missing. The sorter makes one of its own in it. */
  readonly dir: string;
  /** Ranks are integers in `[0, ranks)`. */
  readonly ranks: number;
  /** Sum of the payloads, as well as it is known: decides how many buckets there are. */
  readonly expectedBytes: number;
  /** Bytes of one bucket that are held in memory while it is read back. Default 16 MiB. */
  readonly bucketBytes?: number;
}

export interface RankedPayload {
  readonly rank: number;
  readonly payload: Buffer;
}

/**
 * Brings payloads that arrive in any order into the order of their ranks, in bounded memory and with little
 * more disk than their sum. Each call must be awaited before the next; `dispose` at the end, whatever
 * happened.
 */
export async function createBucketSorter(options: BucketSorterOptions): Promise<BucketSorter> {
  try {
    await mkdir(options.dir, { recursive: true });
    return new BucketSorter(await mkdtemp(join(options.dir, 'sort-')), options);
  } catch (error) {
    throw scratchError(error, options.dir);
  }
}

interface Bucket {
  readonly firstRank: number;
  readonly handle: FileHandle;
  readonly file: AppendFile;
  readonly path: string;
}

interface PlacedRecord {
  readonly rank: number;
  readonly offset: number;
  readonly length: number;
}

/** Where the payload of each rank of a bucket stands in its file; a length of -1 when there is none. */
interface Directory {
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
}

/**
 * A bucket's file holds records of its ranks in the order of arrival: rank u32, length u32, payload. Of two
 * records of one rank the later counts.
 */
export class BucketSorter {
  readonly #dir: string;
  readonly #ranks: number;
  readonly #ranksPerBucket: number;
  readonly #bucketBytes: number;
  readonly #bufferBytes: number;
  readonly #buckets = new Map<number, Bucket>();
  /** One bit per rank. */
  readonly #present: Uint8Array;
  #size = 0;
  #sorting = false;

  constructor(dir: string, options: BucketSorterOptions) {
    const { ranks, expectedBytes, bucketBytes = DEFAULT_BUCKET_BYTES } = options;
    const wanted = Math.ceil((expectedBytes + ranks * HEADER_BYTES) / bucketBytes);
    const buckets = Math.max(1, Math.min(wanted, MAX_BUCKETS, ranks));
    this.#dir = dir;
    this.#ranks = ranks;
    this.#ranksPerBucket = Math.max(1, Math.ceil(ranks / buckets));
    this.#bucketBytes = bucketBytes;
    this.#bufferBytes = Math.min(1024 * 1024, Math.floor(BUFFER_BYTES / buckets));
    this.#present = new Uint8Array(Math.ceil(ranks / 8));
  }

  /** Ranks that have a payload. */
  get size(): number {
    return this.#size;
  }

  has(rank: number): boolean {
    return ((this.#present[rank >> 3] ?? 0) & (1 << (rank & 7))) !== 0;
  }

  /**
   * False, and nothing done, when the rank has a payload and `replace` is not set. `payload` must stay
   * unchanged until the promise resolves.
   */
  async add(rank: number, payload: Uint8Array, options: { replace?: boolean } = {}): Promise<boolean> {
    if (!Number.isInteger(rank) || rank < 0 || rank >= this.#ranks) {
      throw new RangeError(`Rank ${rank} is not in [0, ${this.#ranks})`);
    }
    if (this.#sorting) throw new Error('Nothing can be added once sorting has begun');
    const known = this.has(rank);
    if (known && options.replace !== true) return false;
    const { file } = await this.#bucketOf(rank);
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32LE(rank, 0);
    header.writeUInt32LE(payload.length, 4);
    await file.write(header);
    await file.write(payload);
    if (!known) {
      this.#present[rank >> 3] = (this.#present[rank >> 3] ?? 0) | (1 << (rank & 7));
      this.#size += 1;
    }
    return true;
  }

  /** By rank. Can be gone through once: each bucket's file is removed after it, to give the disk back. */
  async *sorted(): AsyncGenerator<RankedPayload> {
    if (this.#sorting) throw new Error('What was sorted can be gone through only once');
    this.#sorting = true;
    try {
      const buckets = [...this.#buckets.values()].sort((a, b) => a.firstRank - b.firstRank);
      for (const { file } of buckets) await file.flush();
      for (const bucket of buckets) {
        yield* bucket.file.bytes <= this.#bucketBytes ? this.#readWhole(bucket) : this.#readPiecewise(bucket);
        await bucket.handle.close();
        await rm(bucket.path);
      }
    } catch (error) {
      throw scratchError(error, this.#dir);
    }
  }

  async dispose(): Promise<void> {
    for (const { file, handle } of this.#buckets.values()) {
      await file.settled();
      await handle.close();
    }
    this.#buckets.clear();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #bucketOf(rank: number): Promise<Bucket> {
    const number = Math.floor(rank / this.#ranksPerBucket);
    const known = this.#buckets.get(number);
    if (known !== undefined) return known;
    const path = join(this.#dir, String(number));
    const toError = (error: unknown) => scratchError(error, this.#dir);
    try {
      const handle = await open(path, 'wx+', 0o600);
      const file = new AppendFile(handle, { bufferBytes: this.#bufferBytes, toError });
      const bucket = { firstRank: number * this.#ranksPerBucket, handle, file, path };
      this.#buckets.set(number, bucket);
      return bucket;
    } catch (error) {
      throw toError(error);
    }
  }

  async *#readWhole(bucket: Bucket): AsyncGenerator<RankedPayload> {
    const content = Buffer.allocUnsafeSlow(bucket.file.bytes);
    await readFully(bucket.handle, content, 0);
    const directory = this.#emptyDirectory();
    for (let at = 0; at < content.length;) at = enter(directory, bucket.firstRank, content, at, at);
    for (const { rank, offset, length } of recordsOf(directory, bucket.firstRank)) {
      yield { rank, payload: content.subarray(offset, offset + length) };
    }
  }

  /**
   * For a bucket that grew beyond its size: one pass for the places of its records, then a read for each, some
   * at a time because most of a small read is waiting.
   */
  async *#readPiecewise(bucket: Bucket): AsyncGenerator<RankedPayload> {
    let group: PlacedRecord[] = [];
    let bytes = 0;
    for (const record of recordsOf(await this.#scan(bucket), bucket.firstRank)) {
      if (group.length === READS_AT_ONCE || bytes + record.length > this.#bucketBytes) {
        yield* await readRecords(bucket.handle, group);
        group = [];
        bytes = 0;
      }
      group.push(record);
      bytes += record.length;
    }
    yield* await readRecords(bucket.handle, group);
  }

  async #scan({ handle, file, firstRank }: Bucket): Promise<Directory> {
    const directory = this.#emptyDirectory();
    const window = Buffer.allocUnsafeSlow(Math.min(SCAN_BYTES, file.bytes));
    let loadedFrom = 0;
    let loadedTo = 0;
    for (let at = 0; at < file.bytes;) {
      if (at + HEADER_BYTES > loadedTo) {
        loadedFrom = at;
        loadedTo = Math.min(at + window.length, file.bytes);
        await readFully(handle, window.subarray(0, loadedTo - loadedFrom), loadedFrom);
      }
      at = enter(directory, firstRank, window, at - loadedFrom, at);
    }
    return directory;
  }

  #emptyDirectory(): Directory {
    return {
      offsets: new Float64Array(this.#ranksPerBucket),
      lengths: new Float64Array(this.#ranksPerBucket).fill(-1),
    };
  }
}

/** Notes the record whose header is at `at` of `bytes` and at `position` of the file; returns where the next begins. */
function enter(directory: Directory, firstRank: number, bytes: Buffer, at: number, position: number): number {
  const index = bytes.readUInt32LE(at) - firstRank;
  const length = bytes.readUInt32LE(at + 4);
  directory.offsets[index] = position + HEADER_BYTES;
  directory.lengths[index] = length;
  return position + HEADER_BYTES + length;
}

function* recordsOf({ offsets, lengths }: Directory, firstRank: number): Generator<PlacedRecord> {
  for (const [index, length] of lengths.entries()) {
    if (length >= 0) yield { rank: firstRank + index, offset: offsets[index] ?? 0, length };
  }
}

function readRecords(handle: FileHandle, records: readonly PlacedRecord[]): Promise<RankedPayload[]> {
  return Promise.all(
    records.map(async ({ rank, offset, length }) => {
      const payload = Buffer.allocUnsafeSlow(length);
      await readFully(handle, payload, offset);
      return { rank, payload };
    }),
  );
}

async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let from = 0; from < target.length;) {
    const { bytesRead } = await handle.read(target, from, target.length - from, position + from);
    if (bytesRead === 0) {
      const message =
        'A scratch file is shorter than what was written to it. Check the disk of the scratch folder.';
      throw new StorageError('IntegrityMismatch', 'sort', message);
    }
    from += bytesRead;
  }
}

function scratchError(error: unknown, dir: string): Error {
  return toStorageError(error, { action: 'sort answers', path: dir, place: 'the scratch folder' });
}
