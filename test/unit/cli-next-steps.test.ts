import { describe, expect, it } from 'vitest';
import { FAILURE_TYPES, isFailureType } from '../../batch/failure-types.js';
import type { FailureType } from '../../batch/failure-types.js';
import type { Manifest } from '../../batch/manifest.js';
import { NO_ROWS } from '../../batch/rows.js';
import { saysRemedy } from '../../cli/errors.js';
import { nextSteps } from '../../cli/next-steps.js';

const FILE = { uri: 'file:///s/b/results.jsonl', rows: 10, bytes: 100, sha256: 'a'.repeat(64) };

function manifest(facts: Partial<Manifest>): Manifest {
  return {
    batchId: 'tickets',
    generation: 1,
    outcome: 'succeeded',
    phase: 'done',
    provider: 'mistral',
    endpoint: '/v1/chat/completions',
    model: 'm',
    input: null,
    rows: { ...NO_ROWS, total: 10, succeeded: 10 },
    jobs: [],
    usage: {},
    results: FILE,
    errors: FILE,
    failure: null,
    startedAt: '2026-11-22T12:00:00Z',
    finishedAt: '2026-11-22T12:05:00Z',
    ...facts,
  };
}

const TYPES = Object.keys(FAILURE_TYPES).filter(isFailureType);

function afterFailure(type: FailureType, outcome: 'failed' | 'partial'): string {
  const results = outcome === 'failed' ? null : FILE;
  return nextSteps(manifest({ outcome, results, failure: { type, message: 'x' } })).join('\n');
}

describe('after the end of a batch', () => {
  it('a person is told where its results are', () => {
    expect(nextSteps(manifest({}))).toEqual(['', 'Results: longhaul results tickets']);
    expect(nextSteps(manifest({}), { output: 'out.jsonl' })).toEqual(['', 'Results: out.jsonl']);
  });

  it('with unsuccessful rows, where these are and how to send them again', () => {
    expect(nextSteps(manifest({ outcome: 'partial' }))).toEqual([
      '',
      'Results: longhaul results tickets',
      'Errors:  longhaul results tickets --errors',
      'Send the unsuccessful rows again: `longhaul run` as before, with --retry',
    ]);
    expect(nextSteps(manifest({ outcome: 'cancelled', results: null }))).toEqual([
      '',
      'Send the cancelled rows after all: `longhaul run` as before',
    ]);
  });

  it('with invalid rows alone, that these are sent by no run of this input', () => {
    const ended = (rows: Partial<Manifest['rows']>) =>
      nextSteps(manifest({ outcome: 'partial', rows: { ...NO_ROWS, total: 10, ...rows } })).at(-1);
    expect(ended({ succeeded: 8, invalid: 2 })).toBe(
      'Invalid rows are never sent: correct them in the input, and run it under another id',
    );
    expect(ended({ succeeded: 8, invalid: 1, failed: 1 })).toContain('--retry');
  });

  it('whose results are gone from the store, nothing is offered that needs them', () => {
    for (const outcome of ['succeeded', 'partial'] as const) {
      const failure = outcome === 'partial' ? ({ type: 'JobFailed', message: 'x' } as const) : null;
      const steps = nextSteps(manifest({ outcome, results: null, errors: null, failure })).join('\n');
      expect(steps).toMatch(/not in the store: `longhaul clean`.*another store.*would buy the batch again/);
      expect(steps).not.toMatch(/Results:|Errors:|--retry/);
    }
  });

  it.each(TYPES)('%s asks for nothing that only helps a batch which is open', (type) => {
    for (const outcome of ['failed', 'partial'] as const) {
      expect(afterFailure(type, outcome)).not.toMatch(/longhaul resume|Nothing|If it lasts/);
    }
  });

  it.each(TYPES)('%s of a partial batch is followed by the way to send the rest: --retry', (type) => {
    const steps = afterFailure(type, 'partial');
    expect(steps).not.toMatch(/same command again(?! with --retry)/);
    expect(steps.match(/--retry/g)).toHaveLength(1);
    expect(afterFailure(type, 'failed')).not.toContain('--retry');
  });

  it('a failure whose message says what to do is not explained twice', () => {
    expect(afterFailure('StorageMismatch', 'failed')).toBe('');
    expect(afterFailure('ProviderAuth', 'failed')).toBe(
      '\nSet MISTRAL_API_KEY of the worker to a valid key, then run the same command again.',
    );
    expect(TYPES.filter(saysRemedy)).toEqual([
      'InvalidInput',
      'DuplicateCustomId',
      'InputNotAllowed',
      'FingerprintMismatch',
      'StorageDenied',
      'StorageMismatch',
    ]);
  });
});

describe('while a batch is open', () => {
  const open = (phase: Manifest['phase']): string[] =>
    nextSteps(manifest({ outcome: null, phase, results: null, errors: null, finishedAt: null }));

  it('a person is told what it waits for', () => {
    expect(open('waiting-for-auth').join('\n')).toContain('longhaul resume tickets');
    expect(open('paused').join('\n')).toContain('longhaul resume tickets');
    expect(open('running')).toEqual([]);
  });
});
