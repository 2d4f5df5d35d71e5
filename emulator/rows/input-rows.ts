import { readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { LineIndex } from './line-index.js';
import { newPace } from './pace.js';

const CHUNK_BYTES = 256 * 1024;

interface Source {
  readonly handle: FileHandle;
  readonly index: LineIndex;
  readonly firstRow: number;
}

/**
 * The rows of a job's input files, readable in any order: only their places are in memory. Files stay readable after
 * they were deleted, as they are for a job that has begun.
 */
export class InputRows {
  readonly #sources: readonly Source[];
  readonly count: number;

  private constructor(sources: readonly Source[]) {
    this.#sources = sources;
    this.count = sources.reduce((sum, source) => sum + source.index.count, 0);
  }

  static async open(paths: readonly string[], signal: AbortSignal): Promise<InputRows> {
    const sources: Source[] = [];
    try {
      for (const path of paths) {
        const handle = await open(path, 'r');
        const index = new LineIndex({ keep: true });
        const last = sources.at(-1);
        sources.push({ handle, index, firstRow: last === undefined ? 0 : last.firstRow + last.index.count });
        await indexFile(handle, index, signal);
      }
      return new InputRows(sources);
    } catch (error) {
      await Promise.all(sources.map((source) => source.handle.close()));
      throw error;
    }
  }

  /**
   * The text of a row. Reads synchronously: rows are read in shuffled order, and a hundred thousand round trips through
   * the thread pool would cost seconds where these cost tenths. Callers yield between rows.
   */
  text(row: number): string {
    const source = this.#sources.findLast((candidate) => candidate.firstRow <= row);
    if (source === undefined) throw new RangeError(`There is no row ${row}.`);
    const { offset, length } = source.index.at(row - source.firstRow);
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const read = readSync(source.handle.fd, bytes, filled, length - filled, offset + filled);
      if (read === 0) break;
      filled += read;
    }
    const text = bytes.toString('utf8', 0, filled);
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.handle.close()));
  }
}

async function indexFile(handle: FileHandle, index: LineIndex, signal: AbortSignal): Promise<void> {
  const pace = newPace();
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES);
    if (bytesRead === 0) break;
    index.push(chunk.subarray(0, bytesRead));
    signal.throwIfAborted();
    await pace();
  }
  index.end();
}
