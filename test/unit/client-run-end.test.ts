import { describe, expect, it } from 'vitest';
import type { BatchSummary, Manifest } from '../../batch/manifest.js';
import { NO_ROWS } from '../../batch/rows.js';
import type { BatchDescription } from '../../client/batch-description.js';
import { LonghaulError } from '../../client/failures.js';
import { finalProgress } from '../../client/final-progress.js';
import { accountOf, failedAccount } from '../../client/run-end.js';
import { manifestSchema } from '../../schemas/manifest.js';

const RUN: BatchDescription = {
  batchId: 'tickets',
  runId: 'run',
  status: 'FAILED',
  open: false,
  startedAt: '2026-11-22T12:00:00.000Z',
  closedAt: '2026-11-22T13:00:00.000Z',
  fingerprint: null,
  summary: null,
  phase: 'done',
  outcome: null,
  provider: 'mistral',
  model: 'm',
  endpoint: '/v1/x',
  rows: null,
  rowsFailed: null,
};

const SUMMARY: BatchSummary = {
  batchId: 'tickets',
  generation: 1,
  outcome: 'cancelled',
  rows: { ...NO_ROWS, total: 2, cancelled: 2 },
  jobs: 1,
  manifest: null,
  failure: null,
};

const EARLIER: Manifest = {
  batchId: 'tickets',
  generation: 1,
  outcome: 'partial',
  phase: 'done',
  provider: 'mistral',
  endpoint: '/v1/x',
  model: 'm',
  input: null,
  rows: { ...NO_ROWS, total: 2, succeeded: 1, failed: 1 },
  jobs: [],
  usage: {},
  results: null,
  errors: null,
  failure: null,
  startedAt: '2026-11-20T12:00:00.000Z',
  finishedAt: '2026-11-20T13:00:00.000Z',
};

const INVALID = new LonghaulError('InvalidInput', 'line 3');

describe('the account of a run', () => {
  it('that returned is the manifest, whichever run wrote it', () => {
    expect(accountOf(RUN, { summary: SUMMARY, error: null }, EARLIER)).toBe(EARLIER);
  });

  it('that failed is its own manifest, by its start or its failure', () => {
    const own = { ...EARLIER, startedAt: RUN.startedAt };
    expect(accountOf(RUN, { summary: null, error: INVALID }, own)).toBe(own);
    const told = { ...EARLIER, failure: { type: 'InvalidInput', message: 'line 3' } } as const;
    expect(accountOf(RUN, { summary: null, error: INVALID }, told)).toBe(told);
  });

  it('that failed without one is its failure, not what an earlier run left', () => {
    expect(() => accountOf(RUN, { summary: null, error: INVALID }, EARLIER)).toThrow(INVALID);
    expect(() => accountOf(RUN, { summary: null, error: INVALID }, null)).toThrow(INVALID);
  });

  it('is what the workflow said where the store has no manifest', () => {
    for (const told of [
      accountOf(RUN, { summary: SUMMARY, error: null }, null),
      accountOf({ ...RUN, summary: SUMMARY }, { summary: null, error: INVALID }, null),
    ]) {
      expect(manifestSchema.parse(told)).toMatchObject({
        outcome: 'cancelled',
        rows: SUMMARY.rows,
        finishedAt: RUN.closedAt,
      });
    }
  });

  it('is an error where nobody said anything', () => {
    expect(() => accountOf(RUN, { summary: null, error: null }, null)).toThrow(
      expect.objectContaining({ type: 'BatchTerminated' }),
    );
  });
});

it('shows a failure before the manifest in the manifest’s shape, and no failure of Temporal’s', () => {
  expect(manifestSchema.parse(failedAccount(RUN, INVALID))).toMatchObject({
    outcome: 'failed',
    failure: { type: 'InvalidInput', message: 'line 3' },
  });
  expect(failedAccount(RUN, new LonghaulError('BatchTerminated', 'by hand'))).toBeNull();
});

it('ends progress with the account’s rows', () => {
  expect(finalProgress(EARLIER, null)).toMatchObject({
    phase: 'done',
    rows: { total: 2, succeeded: 1, failed: 1, unanswered: 0 },
    shards: { total: 0, running: 0, done: 0 },
  });
});
