import type { Config } from '../schemas/config.js';
import { assertKnown } from './known.js';
import type { ProviderName } from './known.js';
import { createMistralProvider, type Closable } from './mistral/provider.js';
import type { BatchProvider } from './provider.js';

export type ProviderConfig = Pick<Config, 'mistral' | 'requestsPerSecond'> & { readonly userAgent?: string };

type Factory = (config: ProviderConfig) => BatchProvider & Closable;

/** The one place that makes providers; the rest of the code asks a provider for its capabilities. */
const FACTORIES: { readonly [N in ProviderName]: Factory } = {
  mistral: ({ mistral, requestsPerSecond, userAgent }) =>
    createMistralProvider({
      ...mistral,
      ...(requestsPerSecond === null ? {} : { requestsPerSecond }),
      ...(userAgent === undefined ? {} : { userAgent }),
    }),
};

/** @throws UnknownProviderError */
export function createProvider(name: string, config: ProviderConfig): BatchProvider & Closable {
  assertKnown(name);
  return FACTORIES[name](config);
}
