import { ProviderError } from './errors.js';
import type { Watchdog } from './watchdog.js';

/** How far a request had come when it failed. */
export interface SendState {
  /** Set just before the first byte is written to a connected socket: until then nothing can have happened. */
  started: boolean;
}

/**
 * A failure without an HTTP answer. Connection refused, name not found, TLS refused, connect time-out: the
 * request never left, so `refused`. Anything after the first byte may have reached the provider: `unknown`.
 */
export function networkFailure(
  call: string,
  error: unknown,
  state: SendState,
  watchdog: Watchdog,
): ProviderError {
  if (error instanceof ProviderError) return error;
  const effect = state.started ? 'unknown' : 'refused';
  if (watchdog.expired) {
    const waited = `${watchdog.periodMs / 1000} s`;
    const what = state.started ? `no answer within ${waited}` : `not sent within ${waited}`;
    return new ProviderError('ProviderUnavailable', `${call}: ${what}`, { effect, cause: error });
  }
  const what = state.started ? 'the connection broke' : 'the provider could not be reached';
  return new ProviderError('ProviderUnavailable', `${call}: ${what} (${failureCode(error)})`, {
    effect,
    cause: error,
  });
}

/** The system's or library's code for a failure; messages may name addresses, codes say enough. */
export function failureCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses were tried: the first failure stands for all.
  if (error instanceof AggregateError && error.errors.length > 0) return failureCode(error.errors[0]);
  return error instanceof Error ? error.name : 'unknown error';
}
