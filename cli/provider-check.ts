import { assertProviderTakes, shardLimits } from '../activities/settings.js';
import { capabilitiesOf, UnknownProviderError } from '../providers/known.js';
import type { ProviderCapabilities } from '../providers/provider.js';
import type { ParsedRunBatchInput } from '../schemas/run-batch-input.js';
import { CliError } from './errors.js';

/**
 * What the worker would refuse for its provider, said before anything is started.
 * @throws CliError, BatchError (InvalidInput)
 */
export function assertProviderTakesBatch(input: ParsedRunBatchInput): void {
  const capabilities = requireCapabilities(input.provider);
  assertProviderTakes(input, capabilities);
  shardLimits(input, capabilities);
}

/** @throws CliError for an unknown provider */
export function requireCapabilities(provider: string): ProviderCapabilities {
  try {
    return capabilitiesOf(provider);
  } catch (error) {
    if (error instanceof UnknownProviderError) throw new CliError(error.message);
    throw error;
  }
}
