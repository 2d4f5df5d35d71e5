import { open, rm, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

const FLUSH_BYTES = 256 * 1024;

/** A file that grows by lines, buffered, and can be cut back to an earlier length once it is closed. */
export class LineFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #pending: string[] = [];
  #pendingBytes = 0;
  #bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<LineFile> {
    return new LineFile(path, await open(path, 'w'));
  }

  /** Bytes appended so far, buffered ones included. */
  get bytes(): number {
    return this.#bytes;
  }

  append(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#pending.push(text);
    this.#pendingBytes += bytes;
    this.#bytes += bytes;
  }

  /** Enough is buffered to be worth a write. */
  get isFull(): boolean {
    return this.#pendingBytes >= FLUSH_BYTES;
  }

  async flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const text = this.#pending.join('');
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#handle.writeFile(text);
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#handle.close();
    }
  }

  async cutTo(bytes: number): Promise<void> {
    if (bytes < this.#bytes) await truncate(this.path, bytes);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
