import type { Config } from '../schemas/config.js';
import { createMistralProvider, type Closable } from './mistral/provider.js';
import type { BatchProvider } from './provider.js';

export type ProviderConfig = Pick<Config, 'mistral' | 'requestsPerSecond'> & { readonly userAgent?: string };

type Factory = (config: ProviderConfig) => BatchProvider & Closable;

/** The one place that knows all providers; the rest of the code asks a provider for its capabilities. */
const FACTORIES: ReadonlyMap<string, Factory> = new Map([
  [
    'mistral',
    ({ mistral, requestsPerSecond, userAgent }) =>
      createMistralProvider({
        ...mistral,
        ...(requestsPerSecond === null ? {} : { requestsPerSecond }),
        ...(userAgent === undefined ? {} : { userAgent }),
      }),
  ],
]);

export const PROVIDER_NAMES: readonly string[] = [...FACTORIES.keys()];

/** A caller's mistake: the message lists the providers that exist. */
export class UnknownProviderError extends Error {
  override readonly name = 'UnknownProviderError';
}

export function createProvider(name: string, config: ProviderConfig): BatchProvider & Closable {
  const factory = FACTORIES.get(name);
  if (factory !== undefined) return factory(config);
  throw new UnknownProviderError(
    `There is no provider ${JSON.stringify(name)}. Known providers: ${PROVIDER_NAMES.join(', ')}.`,
  );
}
