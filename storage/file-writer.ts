import { createHash, type Hash } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppendFile } from './append-file.js';
import { toStorageError, type FileOperation } from './file-errors.js';
import { newOwnerMark } from './owner-mark.js';
import { assertSamePlace } from './same-place.js';
import { sealedFile } from './sealed-file.js';
import type { SealedFile, StoreWriter, WriteOptions, WrittenFile } from './store.js';
import { TEMP_PREFIX } from './store-path.js';

const BUFFER_BYTES = 1024 * 1024;

export interface FileWriterTarget extends FileOperation {
  /** Absolute path; its folder exists. */
  readonly target: string;
  /** Size when it is known beforehand: keeps buffers of small files small. */
  readonly expectedBytes?: number;
}

export async function openFileWriter(
  target: FileWriterTarget,
  options: WriteOptions = {},
): Promise<StoreWriter> {
  const temp = join(dirname(target.target), `${TEMP_PREFIX}${newOwnerMark()}`);
  try {
    const handle = await open(temp, 'wx', options.secret === true ? 0o600 : 0o666);
    await assertSamePlace(handle, temp).catch(async (error: unknown) => {
      await handle.close();
      await unlink(temp).catch(() => undefined);
      throw error;
    });
    return new FileWriter(target, options, temp, handle);
  } catch (error) {
    throw toStorageError(error, target);
  }
}

/**
 * Writes beside the target and moves the whole file into place. Order at commit: bytes to the disk, then the
 * name, then the folder to the disk; a power cut leaves the file whole or absent.
 */
class FileWriter implements StoreWriter {
  readonly #target: FileWriterTarget;
  readonly #options: WriteOptions;
  readonly #temp: string;
  readonly #handle: FileHandle;
  readonly #file: AppendFile;
  readonly #hash: Hash = createHash('sha256');
  #open = true;

  constructor(target: FileWriterTarget, options: WriteOptions, temp: string, handle: FileHandle) {
    this.#target = target;
    this.#options = options;
    this.#temp = temp;
    this.#handle = handle;
    this.#file = new AppendFile(handle, {
      bufferBytes: Math.min(BUFFER_BYTES, Math.max(1, target.expectedBytes ?? BUFFER_BYTES)),
      onFlush: (bytes) => this.#hash.update(bytes),
      toError: (error) => toStorageError(error, target),
    });
  }

  get bytes(): number {
    return this.#file.bytes;
  }

  write(chunk: string | Uint8Array): Promise<void> {
    if (!this.#open)
      return Promise.reject(new Error(`${this.#target.path} was already committed or aborted`));
    return this.#file.write(chunk);
  }

  async commit(): Promise<WrittenFile> {
    const sealed = await this.seal();
    const created = await sealed.publish(this.#options);
    await sealed.discard();
    return { bytes: sealed.bytes, sha256: sealed.sha256, created };
  }

  async seal(): Promise<SealedFile> {
    if (!this.#open) throw new Error(`${this.#target.path} was already committed or aborted`);
    this.#open = false;
    try {
      await this.#file.flush();
      await this.#handle.sync();
      await this.#handle.close();
    } catch (error) {
      await this.#discard();
      throw toStorageError(error, this.#target);
    }
    const written = { bytes: this.#file.bytes, sha256: this.#hash.digest('hex') };
    return sealedFile(this.#target, this.#temp, written);
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.settled();
    await this.#discard();
  }

  /** Best effort: the error that led here is the one to report, and leftovers are swept later. */
  async #discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#temp).catch(() => undefined);
  }
}
