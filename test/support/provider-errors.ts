import { ProviderError } from '../../providers/errors.js';
import type { ProviderFailureType } from '../../providers/errors.js';
import type { Fault } from './fake-provider.js';

/** A refusal: the request had no effect. */
export function refusal(type: ProviderFailureType, status: number, retryAfterMs?: number): Fault {
  const message = `the fake provider says ${status}`;
  const later = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { when: 'before', error: new ProviderError(type, message, { status, effect: 'refused', ...later }) };
}

/** The request took effect and nobody heard of it. */
export function lostAnswer(): Fault {
  const error = new ProviderError('ProviderAmbiguous', 'no answer came', { effect: 'unknown' });
  return { when: 'after', error };
}
