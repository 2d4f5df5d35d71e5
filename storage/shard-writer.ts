import { insertFirstMember } from '../batch/json-members.js';
import { layout } from '../batch/layout.js';
import { MAX_SHARDS, ShardCutter } from '../batch/shard-cut.js';
import type { ShardLimits } from '../batch/shard-cut.js';
import { BatchCursor } from './batch-cursor.js';
import { customIdOf } from './custom-id.js';
import { StorageError } from './errors.js';
import { repeatedId, SCAN_FILES, withoutReturns } from './input-scan.js';
import type { InvalidRow, ScanResult } from './input-scan.js';
import { InvalidRowsWriter } from './invalid-rows.js';
import { readLines } from './jsonl.js';
import { openRowIndex, RowIndexWriter } from './row-index.js';
import type { RowIndex, RowIndexEntry } from './row-index.js';
import { SealedCut } from './sealed-cut.js';
import type { Store, StoreWriter } from './store.js';

export interface CutOptions {
  readonly store: Store;
  readonly batchId: string;
  readonly scratch: Store;
  readonly scan: ScanResult;
  readonly limits: ShardLimits;
  readonly onProgress?: (rows: number) => void;
}

const NEWLINE = Buffer.from('\n');

/**
 * Second pass over an input: copies the good rows, byte for byte, into shards, each with its index, and the bad ones
 * with their reasons into `invalid.jsonl`. The same input, scan and limits give the same files. None of them has its name
 * yet: two attempts may cut one input by different limits.
 */
export async function cutShards(source: AsyncIterable<Uint8Array>, options: CutOptions): Promise<SealedCut> {
  const cut = new ShardCut(options);
  try {
    return await cut.run(source);
  } catch (error) {
    await cut.abort();
    throw error;
  }
}

class ShardCut {
  readonly #options: CutOptions;
  readonly #cutter: ShardCutter;
  readonly #done = new SealedCut();
  #open: { readonly rows: StoreWriter; readonly index: RowIndexWriter } | null = null;
  #invalid: InvalidRowsWriter | null = null;
  #repeated = 0;

  constructor(options: CutOptions) {
    this.#options = options;
    this.#cutter = new ShardCutter(options.limits);
  }

  async run(source: AsyncIterable<Uint8Array>): Promise<SealedCut> {
    const { scratch, scan, store, batchId } = this.#options;
    const index = await openRowIndex(scratch, SCAN_FILES.rows);
    await this.#assertFits(index);
    if (scan.invalid > 0) this.#invalid = await InvalidRowsWriter.open(store, batchId, scratch);
    const good = new BatchCursor(index.read());
    try {
      await this.#copy(source, good);
    } finally {
      await good.close();
    }
    await this.#close();
    if (this.#invalid !== null) this.#done.add(layout.invalid(batchId), await this.#invalid.seal());
    return this.#done;
  }

  async abort(): Promise<void> {
    await this.#open?.rows.abort();
    await this.#open?.index.abort();
    await this.#invalid?.abort();
    await this.#done.discard();
  }

  async #copy(source: AsyncIterable<Uint8Array>, good: BatchCursor<RowIndexEntry>): Promise<void> {
    const { limits, onProgress } = this.#options;
    let rows = 0;
    await good.advance();
    for await (const lines of readLines(source, { maxLineBytes: limits.maxBytes })) {
      for (const line of lines) {
        const entry = good.current;
        if (entry?.line !== line.line) continue;
        const bytes = withoutReturns(line.bytes);
        if (entry.length !== bytes.length) throw inputChanged();
        const firstLine = this.#repeats(line.line);
        if (firstLine === null) await this.#write(bytes, entry);
        else await this.#invalid?.addRepeated(repeatedRow(bytes, entry, firstLine));
        rows += 1;
        if (!good.tryAdvance()) await good.advance();
      }
      onProgress?.(rows);
    }
    if (good.current !== null) throw inputChanged();
  }

  /** Counted before anything is written: an input that is too large leaves no copy of itself. */
  async #assertFits(index: RowIndex): Promise<void> {
    const cutter = new ShardCutter(this.#options.limits);
    for await (const entries of index.read()) {
      for (const entry of entries) {
        if (this.#repeats(entry.line) !== null) continue;
        const given = entry.generatedId ? this.#givenId(entry).length + 1 : 0;
        if (cutter.place(entry.length + given + NEWLINE.length) >= MAX_SHARDS) throw tooManyShards();
      }
    }
    this.#repeated = 0;
  }

  /** The first line with the id of this one, or null. To be asked in ascending order. */
  #repeats(line: number): number | null {
    const duplicate = this.#options.scan.duplicates.at(this.#repeated);
    if (duplicate?.line !== line) return null;
    this.#repeated += 1;
    return duplicate.firstLine;
  }

  #givenId({ position }: RowIndexEntry): string {
    return `"custom_id":"${this.#options.scan.idPrefix}${position}"`;
  }

  async #write(row: Buffer, entry: RowIndexEntry): Promise<void> {
    const bytes = entry.generatedId ? insertFirstMember(row, this.#givenId(entry)) : row;
    const shard = this.#cutter.place(bytes.length + NEWLINE.length);
    if (shard >= this.#done.shards.length + (this.#open === null ? 0 : 1)) await this.#next(shard);
    if (this.#open === null) return;
    const { rows, index } = this.#open;
    await index.add({ ...entry, offset: rows.bytes, length: bytes.length });
    await rows.write(bytes);
    await rows.write(NEWLINE);
  }

  async #next(shard: number): Promise<void> {
    await this.#close();
    const { store, batchId } = this.#options;
    const rows = await store.openWriter(layout.shard(batchId, shard));
    try {
      const index = new RowIndexWriter(await store.openWriter(layout.shardIndex(batchId, shard)));
      this.#open = { rows, index };
    } catch (error) {
      await rows.abort();
      throw error;
    }
  }

  async #close(): Promise<void> {
    if (this.#open === null) return;
    const { batchId } = this.#options;
    const { rows, index } = this.#open;
    const { shards } = this.#done;
    const shard = shards.length;
    const records = index.records;
    this.#done.add(layout.shardIndex(batchId, shard), await index.seal());
    const sealed = await rows.seal();
    this.#done.add(layout.shard(batchId, shard), sealed);
    shards.push({ rows: records, bytes: sealed.bytes, sha256: sealed.sha256 });
    this.#open = null;
  }
}

export function inputChanged(): StorageError {
  return new StorageError(
    'IntegrityMismatch',
    'input',
    'the input was changed while it was being read; run the same command again when nobody writes to it',
  );
}

function tooManyShards(): StorageError {
  const message = `the input needs more than ${MAX_SHARDS} shards; raise --shard-rows or --shard-bytes, or split the input`;
  return new StorageError('InputTooLarge', 'input', message);
}

function repeatedRow(bytes: Buffer, { position, line }: RowIndexEntry, firstLine: number): InvalidRow {
  return { position, line, reason: repeatedId(firstLine), customId: customIdOf(bytes) };
}
