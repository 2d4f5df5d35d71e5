import { NativeConnection } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { lookForFailure } from '../client/dial.js';
import { LonghaulError } from '../client/failures.js';
import type { TemporalConfig } from '../client/target.js';

/** As the SDK's own default. */
const DEFAULT_ADDRESS = 'localhost:7233';

export function nativeOptions({ address, options }: TemporalConfig): NativeConnectionOptions {
  return { ...options, address: address ?? DEFAULT_ADDRESS };
}

/**
 * The worker's connection to Temporal; one that comes about is kept up by the SDK for as long as it takes. What the native
 * client says of a failure is Rust's debugging output, so the reason is asked for in the way that clients do.
 * @throws LonghaulError TemporalUnavailable, TemporalRefused
 */
export async function connectNative(options: NativeConnectionOptions): Promise<NativeConnection> {
  const address = options.address ?? DEFAULT_ADDRESS;
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    const { tls, apiKey, metadata } = options;
    const failure = await lookForFailure({
      address,
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    throw failure?.error ?? unexplained(address, error);
  }
}

/** A client got through, or could not say why not either. Rust prints a failure as the structure that it is. */
function unexplained(address: string, error: unknown): LonghaulError {
  const text = error instanceof Error ? error.message : String(error);
  const words = /\bmessage: "([^"]+)"/.exec(text)?.[1] ?? text;
  return new LonghaulError('TemporalUnavailable', `can't reach Temporal at ${address}: ${words}`, {
    cause: error,
  });
}
