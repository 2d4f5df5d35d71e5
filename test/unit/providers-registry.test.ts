import { describe, expect, it, onTestFinished } from 'vitest';
import { capabilitiesOf, UnknownProviderError } from '../../providers/known.js';
import { createProvider } from '../../providers/registry.js';
import { PROVIDER_ENDPOINTS } from '../../schemas/provider-endpoints.js';

const CONFIG = {
  mistral: { apiKey: 'key', baseUrl: 'https://api.mistral.ai/' },
  requestsPerSecond: null,
};

describe('createProvider', () => {
  it('makes the provider that it is asked for, as capable as it was said to be', () => {
    const provider = createProvider('mistral', CONFIG);
    onTestFinished(() => provider.close());
    expect(provider.name).toBe('mistral');
    const { capabilities } = provider;
    expect(capabilities).toBe(capabilitiesOf('mistral'));
    expect(capabilities.defaultShardRows).toBeLessThanOrEqual(capabilities.maxRowsPerJob);
    expect(capabilities.defaultShardBytes).toBeLessThanOrEqual(capabilities.maxBytesPerFile);
  });

  it('takes the endpoints that clients know of', () => {
    expect(capabilitiesOf('mistral').endpoints).toEqual(PROVIDER_ENDPOINTS.mistral);
  });

  it.each(['mistrall', 'toString', '__proto__', ''])(
    'lists the known ones for an unknown name: %j',
    (name) => {
      for (const ask of [() => createProvider(name, CONFIG), () => capabilitiesOf(name)]) {
        expect(ask).toThrow(UnknownProviderError);
        expect(ask).toThrow(`There is no provider ${JSON.stringify(name)}. Known providers: mistral.`);
      }
    },
  );

  it('describes Mistral in numbers that never change: a lost store is found again by equal shards', () => {
    const provider = createProvider('mistral', CONFIG);
    onTestFinished(() => provider.close());
    expect(provider.origin).toBe('https://api.mistral.ai');
    expect(provider.capabilities.endpoints).toHaveLength(10);
    expect(provider.capabilities).toMatchObject({
      maxRowsPerJob: 1_000_000,
      maxBytesPerFile: 512_000_000,
      defaultShardRows: 100_000,
      defaultShardBytes: 256_000_000,
      jobTimeoutHours: { min: 1, max: 168, default: 24 },
      metadata: { maxKeyLength: 32, maxValueLength: 512 },
    });
  });

  it.each([
    [{ apiKey: 'key', baseUrl: 'ftp://x' }, 'base URL'],
    [{ apiKey: 'key', baseUrl: 'api.mistral.ai' }, 'base URL'],
    [{ apiKey: 'key', baseUrl: 'https://u:p@x' }, 'no user name'],
    [{ apiKey: 'two words', baseUrl: 'https://x' }, 'API key'],
  ])("refuses options that can't work, without naming a secret: %#", (mistral, message) => {
    const make = () => createProvider('mistral', { ...CONFIG, mistral });
    expect(make).toThrow(message);
    expect(make).not.toThrow(/two words|u:p/);
  });
});
