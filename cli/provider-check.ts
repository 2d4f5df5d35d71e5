import { assertProviderTakes, shardLimits } from '../activities/settings.js';
import type { ProviderCapabilities } from '../providers/provider.js';
import type { ParsedRunBatchInput } from '../schemas/run-batch-input.js';
import { CliError } from './errors.js';

/**
 * What the worker would refuse for its provider, said before anything is started.
 * @throws CliError, BatchError (InvalidInput)
 */
export async function assertProviderTakesBatch(input: ParsedRunBatchInput): Promise<void> {
  const capabilities = await capabilitiesOf(input.provider);
  assertProviderTakes(input, capabilities);
  shardLimits(input, capabilities);
}

/** @throws CliError for an unknown provider */
export async function capabilitiesOf(provider: string): Promise<ProviderCapabilities> {
  // Loaded when needed: the HTTP client behind it takes longer to load than `--help` to print.
  const { createProvider, UnknownProviderError } = await import('../providers/registry.js');
  try {
    const described = createProvider(provider, {
      mistral: { apiKey: null, baseUrl: 'https://api.mistral.ai' },
      requestsPerSecond: null,
    });
    await described.close();
    return described.capabilities;
  } catch (error) {
    if (error instanceof UnknownProviderError) throw new CliError(error.message);
    throw error;
  }
}
