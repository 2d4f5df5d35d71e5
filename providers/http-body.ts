import type { Dispatcher } from 'undici';
import { ProviderError } from './errors.js';
import { failureCode, networkFailure, type SendState } from './network-failure.js';
import type { Watchdog } from './watchdog.js';

export type ResponseBody = Dispatcher.ResponseData['body'];

export interface BoundedText {
  readonly text: string;
  /** The body was longer than the limit; `text` is its beginning. */
  readonly truncated: boolean;
}

/** Reads a body up to a limit; what is over it is not fetched. */
export async function readText(body: ResponseBody, limitBytes: number): Promise<BoundedText> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(body)) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > limitBytes) break;
  }
  const whole = Buffer.concat(chunks);
  return {
    text: new TextDecoder().decode(whole.subarray(0, limitBytes)),
    truncated: bytes > limitBytes,
  };
}

export interface DownloadWatch {
  readonly call: string;
  readonly contentLength: number | null;
  readonly watchdog: Watchdog;
  readonly state: SendState;
  /** The caller's own signal, whose reason is thrown as it is. */
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((bytes: number) => void) | undefined;
}

/**
 * A body as it comes. Back-pressure is the consumer's pace: nothing is fetched ahead of it but a buffer, and
 * the watchdog only counts time spent waiting for the network.
 */
export async function* readDownload(
  body: ResponseBody,
  watch: DownloadWatch,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  const chunks = chunksOf(body)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const chunk = await nextChunk(chunks, watch, () => bytes);
      if (chunk === null) break;
      bytes += chunk.byteLength;
      watch.onProgress?.(bytes);
      yield chunk;
    }
  } finally {
    watch.watchdog.end();
    body.destroy();
  }
  if (watch.contentLength !== null && bytes !== watch.contentLength) throw cutShort(watch, bytes);
}

async function nextChunk(
  chunks: AsyncIterator<Uint8Array>,
  watch: DownloadWatch,
  bytes: () => number,
): Promise<Uint8Array | null> {
  watch.watchdog.restart();
  try {
    const next = await chunks.next();
    return next.done === true ? null : next.value;
  } catch (error) {
    watch.signal?.throwIfAborted();
    if (watch.contentLength !== null && isEarlyEnd(error)) throw cutShort(watch, bytes(), error);
    throw networkFailure(watch.call, error, watch.state, watch.watchdog);
  } finally {
    watch.watchdog.pause();
  }
}

/** The other side closed in good order, but before the length that it had announced. A reset is another thing. */
function isEarlyEnd(error: unknown): boolean {
  const code = failureCode(error);
  return (
    code === 'UND_ERR_SOCKET' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
    code === 'HPE_INVALID_EOF_STATE'
  );
}

function cutShort(watch: DownloadWatch, bytes: number, cause?: unknown): ProviderError {
  return new ProviderError(
    'ProviderUnavailable',
    `${watch.call}: the download ended after ${bytes} of ${watch.contentLength} bytes`,
    { effect: 'refused', cause },
  );
}

async function* chunksOf(body: ResponseBody): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a response body must be bytes');
    yield chunk;
  }
}
