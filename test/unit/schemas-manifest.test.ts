import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { Manifest } from '../../batch/manifest.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { errorLineSchema, resultLineSchema } from '../../schemas/result-line.js';

const FILE = { uri: 'file:///s/b/results.jsonl', rows: 3, bytes: 100, sha256: 'a'.repeat(64) };

const MANIFEST = {
  batchId: 'tickets-0123456789ab',
  generation: 1,
  outcome: 'partial',
  phase: 'done',
  provider: 'mistral',
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
  input: { uri: 'file:///in.jsonl', rows: 3, bytes: 90, sha256: 'b'.repeat(64) },
  rows: { total: 3, succeeded: 2, failed: 1, invalid: 0, cancelled: 0, expired: 0, missing: 0 },
  jobs: [
    {
      shard: 0,
      round: 1,
      jobId: 'j',
      status: 'SUCCESS',
      requests: 3,
      succeeded: 2,
      failed: 1,
      createdAt: '2026-11-22T12:00:00Z',
      completedAt: '2026-11-22T12:10:00.000Z',
    },
  ],
  usage: { total_tokens: 12 },
  results: FILE,
  errors: { ...FILE, rows: 1 },
  failure: null,
  startedAt: '2026-11-22T12:00:00Z',
  finishedAt: '2026-11-22T12:11:00Z',
};

describe('the manifest', () => {
  it('is the one that the rest of the code writes', () => {
    expectTypeOf<z.output<typeof manifestSchema>>().toExtend<Manifest>();
    expect(manifestSchema.parse(MANIFEST)).toEqual(MANIFEST);
  });

  it("may be a running batch's, with unknowns", () => {
    const running = {
      ...MANIFEST,
      generation: null,
      outcome: null,
      phase: 'running',
      input: null,
      rows: { ...MANIFEST.rows, failed: 0 },
      results: null,
      errors: null,
      finishedAt: null,
    };
    expect(manifestSchema.parse(running)).toEqual(running);
  });

  it('lists a duplicate job as such', () => {
    const jobs = [...MANIFEST.jobs, { ...MANIFEST.jobs[0], jobId: 'k', duplicate: true, completedAt: null }];
    expect(manifestSchema.safeParse({ ...MANIFEST, jobs }).success).toBe(true);
  });

  it('must add up, unless it admits that it does not', () => {
    const wrong = { ...MANIFEST, rows: { ...MANIFEST.rows, failed: 0 } };
    expect(manifestSchema.safeParse(wrong).error?.issues[0]?.message).toContain('do not sum up');
    const admitted = { ...wrong, failure: { type: 'AccountingMismatch', message: 'one row is lost' } };
    expect(manifestSchema.safeParse(admitted).success).toBe(true);
  });

  it.each([
    { outcome: 'done' },
    { finishedAt: null },
    { startedAt: '2026-11-22 12:00' },
    { startedAt: '2026-11-22T12:00:00+01:00' },
    { failure: { type: 'Oops', message: '' } },
    { results: { ...FILE, sha256: 'x' } },
    { usage: { tokens: '1' } },
    { batchId: 'a/b' },
  ])('is refused with %j', (change) => {
    expect(manifestSchema.safeParse({ ...MANIFEST, ...change }).success).toBe(false);
  });
});

describe('a result line', () => {
  const success = { custom_id: 'a', response: { status_code: 200, body: { id: 1 } }, error: null, round: 1 };
  const failed = {
    custom_id: null,
    response: { status_code: 422, body: null },
    error: { type: 'http_error', message: 'answered 422', status_code: 422 },
    round: 2,
  };
  const invalid = {
    custom_id: 'a',
    response: null,
    error: { type: 'invalid_row', message: 'no body' },
    round: 0,
  };

  it.each([success, failed, invalid])('is read: %j', (line) => {
    expect(resultLineSchema.parse(line)).toEqual(line);
  });

  it.each([
    { ...success, response: null },
    { ...success, round: -1 },
    { ...success, custom_id: 7 },
    { ...invalid, round: 1 },
    { ...failed, error: { type: 'other', message: '' } },
    { response: success.response, error: null, round: 1 },
  ])('is refused: %j', (line) => {
    expect(resultLineSchema.safeParse(line).success).toBe(false);
  });

  it('has an error and its place in the input when it stands in errors.jsonl', () => {
    expect(errorLineSchema.safeParse({ ...failed, line: 4 }).success).toBe(true);
    expect(errorLineSchema.safeParse(failed).success).toBe(false);
    expect(errorLineSchema.safeParse({ ...success, line: 4 }).success).toBe(false);
  });
});
