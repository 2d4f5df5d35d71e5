import { layout } from '../batch/layout.js';
import { BatchCursor } from './batch-cursor.js';
import { SCAN_FILES } from './input-scan.js';
import type { InvalidRow } from './input-scan.js';
import { readLines } from './jsonl.js';
import type { Line } from './jsonl.js';
import type { SealedFile, Store, StoreWriter } from './store.js';

/** Writes `invalid.jsonl`: what the first pass refused, and the rows with repeated ids, by position. */
export class InvalidRowsWriter {
  readonly #writer: StoreWriter;
  readonly #refused: BatchCursor<Line>;

  static async open(store: Store, batchId: string, scratch: Store): Promise<InvalidRowsWriter> {
    const writer = await store.openWriter(layout.invalid(batchId));
    return new InvalidRowsWriter(writer, new BatchCursor(readLines(scratch.read(SCAN_FILES.invalid))));
  }

  private constructor(writer: StoreWriter, refused: BatchCursor<Line>) {
    this.#writer = writer;
    this.#refused = refused;
  }

  /** In ascending order of position. */
  async addRepeated(row: InvalidRow): Promise<void> {
    await this.#refusedBefore(row.position);
    await this.#writer.write(`${JSON.stringify(row)}\n`);
  }

  async seal(): Promise<SealedFile> {
    await this.#refusedBefore(Number.POSITIVE_INFINITY);
    await this.#refused.close();
    return this.#writer.seal();
  }

  async abort(): Promise<void> {
    await this.#refused.close();
    await this.#writer.abort();
  }

  async #refusedBefore(position: number): Promise<void> {
    let line = this.#refused.current ?? (await this.#refused.advance());
    for (; line !== null && positionOf(line.bytes) < position; line = await this.#refused.advance()) {
      await this.#writer.write(line.bytes);
      await this.#writer.write('\n');
    }
  }
}

function positionOf(bytes: Buffer): number {
  return Number(/^\{"position":(\d+)/.exec(bytes.toString('latin1', 0, 40))?.[1] ?? Number.NaN);
}
