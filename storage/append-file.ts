import type { FileHandle } from 'node:fs/promises';

const DONE: Promise<void> = Promise.resolve();

export interface AppendFileOptions {
  /** Writes are collected in a buffer of this size. */
  readonly bufferBytes: number;
  /** Sees every byte once, in order, just before it is written. */
  readonly onFlush?: (bytes: Uint8Array) => void;
  /** Makes the error that callers see out of what the file system threw. */
  readonly toError: (error: unknown) => Error;
}

/**
 * Appends to an open file in large chunks. Writes keep their order even when they are not awaited, but only
 * awaiting them bounds memory. After a failure every later call fails with the same error. The caller owns
 * the handle.
 */
export class AppendFile {
  readonly #handle: FileHandle;
  readonly #options: AppendFileOptions;
  #buffer: Buffer | null = null;
  #used = 0;
  #flushed = 0;
  #tail: Promise<void> = DONE;
  #queued = 0;
  #failure: Error | null = null;

  constructor(handle: FileHandle, options: AppendFileOptions) {
    this.#handle = handle;
    this.#options = options;
  }

  /** Bytes taken so far, written or not; queued ones count once they are taken. */
  get bytes(): number {
    return this.#flushed + this.#used;
  }

  /** `chunk` must stay unchanged until the promise resolves. */
  write(chunk: string | Uint8Array): Promise<void> {
    // The promise is shared because a million small writes should cost a million copies, not more.
    if (this.#queued === 0 && this.#failure === null && this.#takeWhole(chunk)) return DONE;
    return this.#enqueue(() => this.#takePiecewise(chunk));
  }

  /** Resolves when everything written so far has been handed to the file system. */
  flush(): Promise<void> {
    return this.#enqueue(() => this.#drain());
  }

  /** Resolves when no write is under way any more, failed or not. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#queued += 1;
    const run = this.#tail.then(async () => {
      try {
        if (this.#failure !== null) throw this.#failure;
        await task();
      } catch (error) {
        this.#failure ??= this.#options.toError(error);
        throw this.#failure;
      } finally {
        this.#queued -= 1;
      }
    });
    this.#tail = run.catch(() => undefined);
    return run;
  }

  #takeWhole(chunk: string | Uint8Array): boolean {
    const buffer = (this.#buffer ??= Buffer.allocUnsafeSlow(this.#options.bufferBytes));
    const room = buffer.length - this.#used;
    if (typeof chunk !== 'string') {
      if (chunk.length > room) return false;
      buffer.set(chunk, this.#used);
      this.#used += chunk.length;
      return true;
    }
    // A UTF-16 unit takes at most three bytes in UTF-8, so most strings need no measuring.
    if (chunk.length * 3 > room && Buffer.byteLength(chunk) > room) return false;
    this.#used += buffer.write(chunk, this.#used);
    return true;
  }

  async #takePiecewise(chunk: string | Uint8Array): Promise<void> {
    if (this.#takeWhole(chunk)) return;
    const buffer = this.#buffer;
    if (buffer === null) return;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let from = 0; from < bytes.length;) {
      if (this.#used === buffer.length) await this.#drain();
      const piece = bytes.subarray(from, from + buffer.length - this.#used);
      buffer.set(piece, this.#used);
      this.#used += piece.length;
      from += piece.length;
    }
  }

  async #drain(): Promise<void> {
    if (this.#buffer === null || this.#used === 0) return;
    const full = this.#buffer.subarray(0, this.#used);
    this.#options.onFlush?.(full);
    for (let from = 0; from < full.length;) {
      const { bytesWritten } = await this.#handle.write(full, from, full.length - from, this.#flushed + from);
      from += bytesWritten;
    }
    this.#flushed += full.length;
    this.#used = 0;
  }
}
