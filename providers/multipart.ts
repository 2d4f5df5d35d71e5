import { randomUUID } from 'node:crypto';
import { ProviderError } from './errors.js';
import type { FileUpload } from './provider.js';

export interface Multipart {
  readonly contentType: string;
  /** Exact length of the whole body. */
  readonly contentLength: number;
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/**
 * The frame around one file, so that the body's length is known while the file itself is streamed: without
 * a Content-Length the request would be chunked, which gateways refuse for uploads. The file comes first and
 * the fields after it, as the official client sends them.
 */
export function multipartFrame(
  file: Pick<FileUpload, 'name' | 'bytes'>,
  fields: Readonly<Record<string, string>>,
): Multipart {
  const boundary = `longhaul-${randomUUID()}`;
  const head = Buffer.from(
    `--${boundary}\r\n` +
      `Content-Disposition: form-data; name="file"; filename="${escapeName(file.name)}"\r\n` +
      `Content-Type: application/octet-stream\r\n\r\n`,
  );
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `\r\n--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"\r\n\r\n${value}`,
  );
  const tail = Buffer.from(`${parts.join('')}\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: head.length + file.bytes + tail.length,
    head,
    tail,
  };
}

/** The HTML standard's escapes for names in a multipart form. */
function escapeName(name: string): string {
  return name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}

export interface UploadWatch {
  /** After each piece that the connection took, with the file's bytes so far. */
  readonly onProgress: (bytes: number) => void;
  /** A failure of the file's own source, which is the caller's and not the network's. */
  readonly onSourceFailure: (error: unknown) => void;
  /** The last byte was handed over. */
  readonly onComplete: () => void;
}

/**
 * The body, piece by piece. A source of another length than announced stops the request before it is
 * complete, so that the provider can't take a cut file for a whole one.
 */
export async function* multipartBody(
  frame: Multipart,
  file: FileUpload,
  watch: UploadWatch,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield frame.head;
  let bytes = 0;
  const source = file.open()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const chunk = await pull(source, watch);
      if (chunk === null) break;
      bytes += chunk.byteLength;
      if (bytes > file.bytes) throw wrongLength(file, 'more', watch);
      // A failed request throws its error in here: that one is not the source's.
      yield chunk;
      watch.onProgress(bytes);
    }
  } finally {
    await source.return?.();
  }
  if (bytes < file.bytes) throw wrongLength(file, `only ${bytes}`, watch);
  watch.onComplete();
  yield frame.tail;
}

async function pull(source: AsyncIterator<Uint8Array>, watch: UploadWatch): Promise<Uint8Array | null> {
  try {
    const next = await source.next();
    return next.done === true ? null : next.value;
  } catch (error) {
    watch.onSourceFailure(error);
    throw error;
  }
}

function wrongLength(file: FileUpload, got: string, watch: UploadWatch): ProviderError {
  const error = new ProviderError(
    'IntegrityMismatch',
    `upload of ${file.name}: ${file.bytes} bytes were announced, the source gave ${got}; nothing was uploaded`,
    { effect: 'refused' },
  );
  watch.onSourceFailure(error);
  return error;
}
