import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBatchId } from '../../batch/batch-id.js';
import { assertSettings, describeRequest, toRunBatchInput } from '../../client/batch-request.js';
import type { StartOptions } from '../../client/types.js';
import { inputBaseName, inputUriOf } from '../../storage/input-uri.js';

const SHA = 'a'.repeat(64);
const FACTS = { origin: 'https://api.mistral.ai', sha256: SHA };
const OPTIONS: StartOptions = {
  input: '/data/tickets.jsonl',
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
};

function request(options: Partial<StartOptions> = {}, facts: Partial<typeof FACTS> = {}) {
  return describeRequest({ ...OPTIONS, ...options }, { ...FACTS, ...facts });
}

describe('the default id', () => {
  it('is the input’s name and the start of the fingerprint', () => {
    const { batchId, fingerprint } = request();
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(batchId).toBe(`tickets-${fingerprint.slice(0, 12)}`);
    expect(request({ input: 'file:///data/My%20tickets.jsonl.gz' }).batchId).toMatch(/^My-tickets-/);
    expect(request({ inputName: 'stdin' }).batchId).toMatch(/^stdin-/);
  });

  it('is changed by what is bought and from whom, by nothing else', () => {
    const { fingerprint } = request();
    const other = [
      request({ model: 'mistral-large-latest' }),
      request({ endpoint: '/v1/embeddings' }),
      request({ jobTimeout: '48h' }),
      request({}, { sha256: 'b'.repeat(64) }),
      request({}, { origin: 'http://127.0.0.1:4000' }),
    ];
    expect(new Set([fingerprint, ...other.map((one) => one.fingerprint)]).size).toBe(6);
    const same = [
      request({ maxJobs: 9, shardRows: 2, metadata: { team: 'a' }, jobTimeout: '24h', provider: 'mistral' }),
      request({ jobTimeout: '1d', deadline: undefined, retry: true, input: '/elsewhere/x.jsonl' }),
    ];
    expect(same.map((one) => one.fingerprint)).toEqual([fingerprint, fingerprint]);
  });

  it('counts every loopback origin as one', () => {
    const origins = ['http://127.0.0.1:1', 'http://localhost:2', 'http://[::1]:3'];
    expect(new Set(origins.map((origin) => request({}, { origin }).fingerprint)).size).toBe(1);
  });

  it('is a batch id whatever the input is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (inputName) => {
        expect(isBatchId(request({ inputName }).batchId)).toBe(true);
      }),
    );
  });
});

describe('the workflow’s argument', () => {
  it('names the input by URI and hash, and fills the defaults in', () => {
    expect(request({ onInvalid: 'skip', shardBytes: '256MB' }).input).toMatchObject({
      input: { uri: 'file:///data/tickets.jsonl', sha256: SHA },
      endpoint: '/v1/chat/completions',
      provider: 'mistral',
      jobTimeout: '24h',
      onInvalid: 'skip',
      shardBytes: '256MB',
      retry: false,
    });
  });

  it('holds nothing that is for the client alone', () => {
    const keys = Object.keys(request({ id: 'mine', inputName: 'x', stageInput: true }).input);
    expect(keys).not.toEqual(expect.arrayContaining(['id']));
    expect(keys.filter((key) => ['id', 'inputName', 'stageInput', 'signal'].includes(key))).toEqual([]);
  });
});

describe('settings', () => {
  it.each([
    [{ jobTimeout: '30m' }, 'jobTimeout must be whole hours'],
    [{ endpoint: 'chat' }, 'endpoint must be a path'],
    [{ maxJobs: 0 }, 'maxJobs must be at least 1'],
    [{ id: 'a b' }, '"a-b" would do'],
    [{ metadata: { longhaul_key: 'x' } }, 'longhaul_'],
    [{ input: '' }, 'input must be the path or URI'],
  ])('are refused in words: %j', (wrong, words) => {
    expect(() => assertSettings({ ...OPTIONS, ...wrong })).toThrow(
      expect.objectContaining({ type: 'InvalidInput', message: expect.stringContaining(words) }),
    );
  });

  it('that are misspelt are named', () => {
    const misspelt = { ...OPTIONS, max_jobs: 3 };
    expect(() => toRunBatchInput(misspelt)).toThrow('did you mean "maxJobs"?');
  });
});

describe('an input’s URI', () => {
  it('is absolute for a path, and left alone for a URI', () => {
    expect(inputUriOf('/data/in put.jsonl')).toBe('file:///data/in%20put.jsonl');
    expect(inputUriOf('a:b.jsonl')).toMatch(/^file:\/\/\/.*\/a:b\.jsonl$/);
    expect(inputUriOf('s3://bucket/in.jsonl')).toBe('s3://bucket/in.jsonl');
    expect(inputUriOf('file:///data/in.jsonl')).toBe('file:///data/in.jsonl');
  });

  it('tells the file’s name', () => {
    expect(inputBaseName('file:///data/in%20put.jsonl')).toBe('in put.jsonl');
    expect(inputBaseName('s3://bucket/100%.jsonl')).toBe('100%.jsonl');
  });
});
