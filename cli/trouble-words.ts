import { isFailureType, remedyOf } from '../batch/failure-types.js';
import type { FailureType } from '../batch/failure-types.js';
import type { Trouble } from '../client/types.js';
import { saysRemedy } from './errors.js';

/** What keeps a batch from advancing, for people. */
export interface TroubleWords {
  /** The same for every attempt at the same. */
  readonly what: string;
  /** What the last attempt ended with, in one line. */
  readonly why: string;
  /** What a person may do; null when the failure says it itself. */
  readonly remedy: string | null;
  /** Of the next or the running attempt. */
  readonly attempt: number;
}

const WHAT: { readonly [T in FailureType]?: string } = {
  ProviderUnavailable: 'the provider is unavailable',
  ProviderRateLimited: 'the provider asks for fewer calls',
  ProviderAmbiguous: 'a create or an upload may have happened and is looked for',
  ProviderContract: 'the provider’s answer is not understood',
  StorageUnavailable: 'the store is unavailable',
  StorageFull: 'no space is left',
};

export function wordsOf({ activity, attempt, message, type }: Trouble): TroubleWords {
  const known = isFailureType(type) ? type : null;
  return {
    what: (known === null ? undefined : WHAT[known]) ?? `${activity} fails`,
    why: message.split('\n', 1)[0] ?? '',
    remedy: known === null || saysRemedy(known) ? null : remedyOf(known, 'open'),
    attempt,
  };
}

export function describeTrouble({ what, why }: TroubleWords): string {
  return `${what}, trying again: ${why}`;
}
