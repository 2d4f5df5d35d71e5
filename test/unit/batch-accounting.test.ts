import { describe, expect, it } from 'vitest';
import type { RoundSums } from '../../batch/account.js';
import { batchProblem, roundProblem } from '../../batch/accounting.js';
import type { BatchCounts } from '../../batch/accounting.js';
import { addCounts, countRows, NO_ROWS } from '../../batch/rows.js';

const SUCCEEDED = countRows('succeeded', 6);
const MISSING = countRows('missing', 4);
const TEN = addCounts(SUCCEEDED, MISSING);

describe('the sums of a round', () => {
  const first: RoundSums = { rows: TEN, answered: 6, takes: NO_ROWS, retryable: 4, failure: null };
  const second: RoundSums = {
    rows: countRows('succeeded', 4),
    answered: 4,
    takes: MISSING,
    retryable: 0,
    failure: null,
  };

  it('may be true', () => {
    expect(roundProblem(first, NO_ROWS, 10)).toBeNull();
    expect(roundProblem(first, NO_ROWS, null)).toBeNull();
    expect(roundProblem(second, TEN, 4)).toBeNull();
  });

  it.each<[string, Partial<RoundSums>, number | null, string]>([
    ['a row too few in total', { rows: { ...TEN, total: 9 } }, null, 'do not add up'],
    ['a class below zero', { rows: { ...TEN, failed: -1, total: 9 } }, null, 'do not add up'],
    ['a row that was sent and is not there', {}, 11, '11 rows were sent and 10'],
    ['a row that was not sent', {}, 9, '9 rows were sent and 10'],
    ['invalid rows', { rows: addCounts(TEN, countRows('invalid', 1)) }, 11, 'invalid'],
    ['fewer answers than successes', { answered: 5 }, 10, '5 of 10 rows were answered'],
    ['more answers than rows', { answered: 11 }, 10, '11 of 10 rows were answered'],
    ['more rows to send again than failed', { retryable: 5 }, 10, '5 rows are to be sent again'],
    ['less than no row to send again', { retryable: -1 }, 10, '-1 rows are to be sent again'],
    ['rows that nobody had before', { takes: MISSING }, 10, 'took 4 from earlier rounds'],
  ])('can not be true with %s', (_, change, sent, problem) => {
    expect(roundProblem({ ...first, ...change }, NO_ROWS, sent)).toContain(problem);
  });

  it.each<[string, Partial<RoundSums>, string]>([
    ['takes that do not add up', { takes: { ...MISSING, total: 5 } }, 'took rows that no round may take'],
    [
      'a success that is sent again',
      { takes: countRows('succeeded', 4) },
      'took rows that no round may take',
    ],
    ['fewer rows taken than sent', { takes: countRows('missing', 3) }, 'has 4 rows and took 3'],
    ['rows taken that were not there', { takes: countRows('expired', 4) }, 'it took 4 expired'],
  ])('can not be true in a later round with %s', (_, change, problem) => {
    expect(roundProblem({ ...second, ...change }, TEN, 4)).toContain(problem);
  });
});

describe('the sums of a batch', () => {
  const whole: BatchCounts = {
    planned: { rows: 12, invalid: 2 },
    counted: TEN,
    whole: true,
    written: addCounts(TEN, countRows('invalid', 2)),
  };

  it('may be true', () => {
    expect(batchProblem(whole)).toBeNull();
    // Cut short: an earlier run's answers are in the store, and rows without a word are cancelled.
    const cutShort = { ...whole, whole: false, counted: countRows('succeeded', 5) };
    expect(batchProblem(cutShort)).toBeNull();
    expect(batchProblem({ ...cutShort, counted: NO_ROWS })).toBeNull();
  });

  it.each<[string, Partial<BatchCounts>, string]>([
    ['a row too few', { written: { ...whole.written, total: 11 } }, 'do not add up'],
    ['another number than the input has', { planned: { rows: 13, invalid: 2 } }, 'has 13 rows'],
    ['more invalid rows', { planned: { rows: 12, invalid: 3 } }, '3 rows are invalid'],
    ['shards that do not add up', { counted: { ...TEN, total: 9 } }, "the shards' sums"],
    [
      'a row too many in the shards',
      { counted: addCounts(TEN, countRows('failed', 1)) },
      'count 11 rows of 10',
    ],
    ['a success that is not in the results', { counted: countRows('succeeded', 7) }, '7 rows as succeeded'],
    [
      'a success that no shard counted',
      { counted: addCounts(countRows('succeeded', 5), countRows('missing', 5)) },
      'the shards count 5 succeeded',
    ],
    ['another class', { counted: addCounts(SUCCEEDED, countRows('expired', 4)) }, '4 expired'],
    ['a row that no shard counted', { counted: addCounts(SUCCEEDED, countRows('missing', 3)) }, '3 missing'],
  ])('can not be true with %s', (_, change, problem) => {
    expect(batchProblem({ ...whole, ...change })).toContain(problem);
  });

  it('are held together though the batch was cut short', () => {
    const counted = countRows('succeeded', 7);
    expect(batchProblem({ ...whole, counted, whole: false })).toContain('7 rows as succeeded');
  });
});
