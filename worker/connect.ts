import { NativeConnection } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { LonghaulError } from '../client/failures.js';

/** The gRPC library's words for a key that is refused. */
const REFUSED = /authentication credentials|permission to execute/;

/**
 * The worker's connection to Temporal; one that comes about is kept up by the SDK for as long as it takes.
 * @throws LonghaulError when there is none to begin with: whoever starts workers sees it, and may try again.
 */
export async function connectWorker(options: NativeConnectionOptions): Promise<NativeConnection> {
  const { address = '127.0.0.1:7233' } = options;
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const type = REFUSED.test(text) ? 'TemporalRefused' : 'TemporalUnavailable';
    throw new LonghaulError(type, `can't reach Temporal at ${address}: ${inWords(text)}`, { cause: error });
  }
}

/** Rust prints a failure as the structure that it is; the words for people are a field of it. */
function inWords(text: string): string {
  return /\bmessage: "([^"]+)"/.exec(text)?.[1] ?? text;
}
