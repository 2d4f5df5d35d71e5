import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBatchId } from '../../batch/batch-id.js';
import { comparableOrigin, defaultBatchId, fingerprintText, roundKeyText } from '../../batch/keys.js';

const ROUND = {
  batchId: 'batch-1',
  shard: 0,
  round: 1,
  inputSha256: 'ab',
  endpoint: '/v1/chat/completions',
  model: 'small',
};
const FINGERPRINT = {
  inputSha256: 'ab',
  endpoint: '/v1/chat/completions',
  model: 'small',
  jobTimeoutMs: 86_400_000,
  provider: 'mistral',
  origin: 'https://api.mistral.ai',
};

describe('the key of a round', () => {
  it('is this text: another would not find the jobs of earlier versions', () => {
    expect(roundKeyText(ROUND)).toBe('["longhaul-1","batch-1","0","1","ab","/v1/chat/completions","small"]');
  });

  it('can be read back to its fields, so that no two rounds share one', () => {
    // Texts that would run into each other if fields were only put side by side.
    const field = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.string({ unit: fc.constantFrom('"', ',', '\\', '[', ']', '1', '\n'), maxLength: 4 }),
    );
    const anyRound = fc.record({
      batchId: field,
      shard: fc.nat(),
      round: fc.nat(),
      inputSha256: field,
      endpoint: field,
      model: field,
    });
    fc.assert(
      fc.property(anyRound, (f) => {
        expect(JSON.parse(roundKeyText(f))).toEqual([
          'longhaul-1',
          f.batchId,
          `${f.shard}`,
          `${f.round}`,
          f.inputSha256,
          f.endpoint,
          f.model,
        ]);
      }),
    );
    const moved = roundKeyText({ ...ROUND, endpoint: 'a","b', model: 'c' });
    expect(moved).not.toBe(roundKeyText({ ...ROUND, endpoint: 'a', model: 'b","c' }));
  });

  it.each(Object.keys(ROUND))('changes with %s', (name) => {
    expect(roundKeyText({ ...ROUND, [name]: 7 })).not.toBe(roundKeyText(ROUND));
  });
});

describe('the fingerprint', () => {
  it('is this text: another would refuse the batches of earlier versions', () => {
    expect(fingerprintText(FINGERPRINT)).toBe(
      '["longhaul-fingerprint-1","ab","/v1/chat/completions","small","86400000","mistral","https://api.mistral.ai"]',
    );
  });

  it.each([
    ['inputSha256', 'b'],
    ['endpoint', '/v1/embeddings'],
    ['model', 'large'],
    ['jobTimeoutMs', 1],
    ['provider', 'other'],
    ['origin', 'https://other.example'],
  ])('changes with %s', (name, value) => {
    expect(fingerprintText({ ...FINGERPRINT, [name]: value })).not.toBe(fingerprintText(FINGERPRINT));
  });

  it('is the same on every loopback port', () => {
    const at = (origin: string): string => fingerprintText({ ...FINGERPRINT, origin });
    expect(at('http://127.0.0.1:40001')).toBe(at('http://localhost:8080'));
  });
});

describe('an origin', () => {
  it.each([
    'http://localhost',
    'http://LOCALHOST:3000',
    'https://localhost:8443',
    'http://127.0.0.1:40001',
    'http://127.1.2.3',
    'http://[::1]:9000',
  ])('%s is loopback', (origin) => {
    expect(comparableOrigin(origin)).toBe('loopback');
  });

  it.each([
    'https://api.mistral.ai',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://128.0.0.1',
    'http://[::2]',
    'http://localhost:80:80',
  ])('%s is not', (origin) => {
    expect(comparableOrigin(origin)).toBe(origin);
  });

  it('is compared without regard to case', () => {
    expect(comparableOrigin('HTTPS://API.Mistral.AI')).toBe('https://api.mistral.ai');
  });
});

describe('the id of a batch without --id', () => {
  const hash = '0123456789abcdef'.repeat(4);

  it.each([
    ['reviews.jsonl', 'reviews-0123456789ab'],
    ['reviews.jsonl.gz', 'reviews-0123456789ab'],
    ['reviews.JSONL.GZ', 'reviews-0123456789ab'],
    ['my reviews.txt', 'my-reviews.txt-0123456789ab'],
    ['März 2026.jsonl', 'M-rz-2026-0123456789ab'],
    ['.jsonl', 'batch-0123456789ab'],
    ['', 'batch-0123456789ab'],
    ['../..', 'batch-0123456789ab'],
  ])('of %j is %s', (name, id) => {
    expect(defaultBatchId(name, hash)).toBe(id);
  });

  it('is a batch id, whatever the name of the input', () => {
    const names = fc.string({ unit: 'binary', maxLength: 400 });
    fc.assert(
      fc.property(names, fc.stringMatching(/^[0-9a-f]{64}$/), (name, fingerprint) => {
        const id = defaultBatchId(name, fingerprint);
        return isBatchId(id) && id.endsWith(`-${fingerprint.slice(0, 12)}`);
      }),
    );
    expect(isBatchId(defaultBatchId('x'.repeat(1000), hash))).toBe(true);
  });
});
