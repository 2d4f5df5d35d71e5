import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

const CHUNK_BYTES = 512 * 1024;

/** Decompresses on the way; errors of the source pass through, those of zlib satisfy `isGzipError`. */
export async function* gunzip(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const output = createGunzip({ chunkSize: CHUNK_BYTES });
  const pumped = pipeline(Readable.from(compressed), output);
  // Whoever reads the output sees its failure there; and a reader that stops early is no failure.
  pumped.catch(() => undefined);
  try {
    for await (const chunk of output) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  } finally {
    output.destroy();
    await pumped.catch(() => undefined);
  }
}

export function isGzipError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}
