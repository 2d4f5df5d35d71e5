import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { assertSamePlace } from './same-place.js';
import type { ReadRange } from './store.js';

const CHUNK_BYTES = 512 * 1024;

/** A regular file, opened without following a symbolic link anywhere: `path` is a real path. */
export async function openRegularFile(path: string): Promise<{ handle: FileHandle; bytes: number }> {
  // O_NONBLOCK: opening a FIFO must fail below, not wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const info = await handle.stat();
    if (!info.isFile()) {
      const code = info.isDirectory() ? 'EISDIR' : 'EFTYPE';
      throw Object.assign(new Error(`${path} is not a regular file`), { code });
    }
    await assertSamePlace(handle, path);
    return { handle, bytes: info.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Bytes `[start, end)` as far as the file reached when it was opened; chunks are not reused. */
export async function* readFileChunks(path: string, range: ReadRange = {}): AsyncGenerator<Buffer> {
  range.signal?.throwIfAborted();
  const { handle, bytes } = await openRegularFile(path);
  try {
    const end = Math.min(range.end ?? bytes, bytes);
    for (let position = range.start ?? 0; position < end;) {
      range.signal?.throwIfAborted();
      const wanted = Math.min(CHUNK_BYTES, end - position);
      const chunk = Buffer.allocUnsafeSlow(wanted);
      const { bytesRead } = await handle.read(chunk, 0, wanted, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield bytesRead === wanted ? chunk : chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
