import type { PROVIDER_ENDPOINTS } from '../schemas/provider-endpoints.js';
import { mistralCapabilities } from './mistral/capabilities.js';
import type { ProviderCapabilities } from './provider.js';

/** What each provider can do, told without loading the HTTP client that speaks to it. */
const KNOWN = { mistral: mistralCapabilities } as const satisfies Record<
  keyof typeof PROVIDER_ENDPOINTS,
  ProviderCapabilities
>;

export type ProviderName = keyof typeof KNOWN;

/** A caller's mistake: the message lists the providers that exist. */
export class UnknownProviderError extends Error {
  override readonly name = 'UnknownProviderError';

  constructor(name: string) {
    const known = Object.keys(KNOWN).join(', ');
    super(`There is no provider ${JSON.stringify(name)}. Known providers: ${known}.`);
  }
}

/** @throws UnknownProviderError */
export function assertKnown(name: string): asserts name is ProviderName {
  if (!Object.hasOwn(KNOWN, name)) throw new UnknownProviderError(name);
}

/** @throws UnknownProviderError */
export function capabilitiesOf(name: string): ProviderCapabilities {
  assertKnown(name);
  return KNOWN[name];
}
