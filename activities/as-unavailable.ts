import { ProviderError } from '../providers/errors.js';
import { BatchError } from './batch-error.js';

/**
 * The failure of a call that reads what was paid for. A 400, or a page instead of an answer, says nothing of a job or a file
 * that the provider has shown before: where it would end the shard, it is asked again. A key and a quota are waited for, and
 * what is gone is gone.
 */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  if (error.type !== 'ProviderRejected' && error.type !== 'ProviderContract') return error;
  return new BatchError('ProviderUnavailable', error.message);
}
