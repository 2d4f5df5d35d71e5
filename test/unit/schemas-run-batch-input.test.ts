import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../batch/duration.js';
import { DEFAULTS } from '../../batch/settings.js';
import { schemaDocuments } from '../../schemas/json-schema.js';
import { parseRunBatchInput } from '../../schemas/run-batch-input.js';

const MINIMAL = {
  input: { uri: 'file:///data/in.jsonl' },
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
};

function problemsOf(value: unknown): readonly string[] {
  const result = parseRunBatchInput(value);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('parseRunBatchInput', () => {
  it('fills in the documented defaults', () => {
    const result = parseRunBatchInput(MINIMAL);
    expect(result).toEqual({
      ok: true,
      value: {
        ...MINIMAL,
        provider: 'mistral',
        jobTimeout: '24h',
        maxRounds: 3,
        maxJobs: 4,
        pollMin: '5s',
        pollMax: '10m',
        onInvalid: 'fail',
        metadata: {},
        cleanup: 'none',
        retry: false,
        rebuyLost: false,
      },
    });
  });

  it('has the same defaults as the workflow', () => {
    const result = parseRunBatchInput(MINIMAL);
    if (!result.ok) throw new Error('the minimal input was refused');
    const { value } = result;
    expect(parseDuration(value.jobTimeout)).toBe(DEFAULTS.jobTimeoutMs);
    expect(parseDuration(value.pollMin)).toBe(DEFAULTS.poll.minMs);
    expect(parseDuration(value.pollMax)).toBe(DEFAULTS.poll.maxMs);
    expect([value.maxRounds, value.maxJobs]).toEqual([DEFAULTS.maxRounds, DEFAULTS.maxJobs]);
  });

  it('takes every field', () => {
    const full = {
      ...MINIMAL,
      input: { uri: 's3://bucket/in.jsonl', sha256: 'a'.repeat(64) },
      provider: 'mistral',
      jobTimeout: '168h',
      deadline: '200h',
      maxRounds: 1,
      shardRows: 10,
      shardBytes: '1GiB',
      maxJobs: 1,
      pollMin: '200ms',
      pollMax: '1s',
      onInvalid: 'skip',
      metadata: { team: '✓'.repeat(512) },
      cleanup: 'all',
      retry: true,
      rebuyLost: true,
      maxHistory: 50,
    };
    expect(parseRunBatchInput(full)).toEqual({ ok: true, value: full });
    expect(problemsOf({ ...full, shardBytes: 1_000 })).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ ...MINIMAL, model: undefined }, 'model: is missing: it must be a text'],
    [{ ...MINIMAL, model: 7 }, 'model: must be a text, not a number'],
    [{ ...MINIMAL, model: '' }, 'model: must have 1 to 200 characters'],
    [{ ...MINIMAL, input: { uri: '/data/in.jsonl' } }, 'input.uri: must be a URI that the worker can read'],
    [{ ...MINIMAL, input: 'in.jsonl' }, 'input: must be an object, not a text'],
    [{ ...MINIMAL, input: { ...MINIMAL.input, sha256: 'AB' } }, 'input.sha256: must be a SHA-256'],
    [{ ...MINIMAL, endpoint: 'chat' }, 'endpoint: must be a path such as'],
    [{ ...MINIMAL, jobTimeout: '90m' }, 'jobTimeout: must be whole hours from "1h" to "168h"'],
    [{ ...MINIMAL, jobTimeout: '169h' }, 'jobTimeout: must be whole hours'],
    [{ ...MINIMAL, jobTimeout: '0h' }, 'jobTimeout: must be a duration above zero'],
    [{ ...MINIMAL, deadline: 'tomorrow' }, 'deadline: must be a duration above zero, such as'],
    [{ ...MINIMAL, pollMin: '11m' }, 'pollMin: must not be longer than pollMax'],
    [{ ...MINIMAL, maxRounds: 0 }, 'maxRounds: must be at least 1'],
    [{ ...MINIMAL, maxRounds: 1.5 }, 'maxRounds: must be a whole number, not a broken number'],
    [{ ...MINIMAL, maxJobs: 501 }, 'maxJobs: must be at most 500'],
    [{ ...MINIMAL, shardBytes: 'big' }, 'shardBytes: must be a number of bytes above zero or a size'],
    [{ ...MINIMAL, onInvalid: 'ignore' }, 'onInvalid: must be "fail" or "skip"'],
    [{ ...MINIMAL, metadata: { longhaul_key: 'x' } }, 'must not begin with "longhaul_"'],
    [{ ...MINIMAL, metadata: { ['k'.repeat(33)]: 'x' } }, 'as a key must have 1 to 32 characters'],
    [{ ...MINIMAL, metadata: { team: '' } }, 'metadata.team: must have 1 to 512 characters'],
    [{ ...MINIMAL, metadata: { team: 5 } }, 'metadata.team: must be a text'],
    [
      { ...MINIMAL, metadata: Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`k${n}`, 'v'])) },
      'metadata: must have at most 13 pairs',
    ],
    [{ ...MINIMAL, retry: 'yes' }, 'retry: must be true or false, not a text'],
    [null, ': must be an object, not null'],
    [[], ': must be an object, not a list'],
  ])('says what is wrong: %#', (value, expected) => {
    const problems = problemsOf(value);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it('refuses unknown fields and guesses what was meant', () => {
    expect(problemsOf({ ...MINIMAL, job_timeout: '1h', maxjob: 3, batchId: 'x' })).toEqual([
      'job_timeout: is not known here: did you mean "jobTimeout"?',
      'maxjob: is not known here: did you mean "maxJobs"?',
      expect.stringMatching(/^batchId: is not known here; known are input, endpoint, model/),
    ]);
    expect(problemsOf({ ...MINIMAL, input: { url: 'file:///x', uri: 'file:///x' } })).toEqual([
      'input.url: is not known here: did you mean "uri"?',
    ]);
  });

  it('names all problems at once', () => {
    expect(problemsOf({}).map((line) => line.split(':')[0])).toEqual(['input', 'endpoint', 'model']);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (value) => void parseRunBatchInput(value)));
  });
});

describe('docs/schema', () => {
  it.each(Object.entries(schemaDocuments()))('%s is what the code says', async (name, document) => {
    const file = await readFile(new URL(`../../docs/schema/${name}`, import.meta.url), 'utf8');
    expect(JSON.parse(file), 'run: npx tsx scripts/generate-schema.ts').toEqual(document);
  });

  it('describes every field of the input, and agrees with the parser', () => {
    const document = schemaDocuments()['run-batch.input.json'];
    if (typeof document !== 'object' || document === null) throw new Error('no document');
    const properties: unknown = Reflect.get(document, 'properties');
    for (const [field, property] of Object.entries(properties ?? {})) {
      expect(property, field).toHaveProperty('description');
    }
    const validate = new Ajv2020({ strict: false }).compile(document);
    const samples = [
      MINIMAL,
      { ...MINIMAL, metadata: { longhaul_key: 'x' } },
      { ...MINIMAL, metadata: { team: '😀'.repeat(512) } },
      { ...MINIMAL, metadata: { team: '😀'.repeat(513) } },
      { ...MINIMAL, shardBytes: '256MB' },
      { ...MINIMAL, shardBytes: '256 MB' },
      { ...MINIMAL, deadline: '0s' },
      { ...MINIMAL, unknown: 1 },
      { ...MINIMAL, maxJobs: 0 },
      {},
    ];
    for (const sample of samples) {
      expect(validate(sample), JSON.stringify(sample).slice(0, 200)).toBe(parseRunBatchInput(sample).ok);
    }
  });
});
