import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideOutcome, isFinished, OUTCOMES } from '../../batch/outcome.js';
import {
  addCounts,
  addsUp,
  classOf,
  countRows,
  isAnswer,
  isRowErrorType,
  NO_ROWS,
  ROW_CLASSES,
  ROW_ERROR_TYPES,
  RowTally,
  subtractCounts,
} from '../../batch/rows.js';

const words = fc.array(fc.option(fc.constantFrom(...ROW_ERROR_TYPES)), { maxLength: 50 });

function tallyOf(errors: readonly Parameters<RowTally['add']>[0][]): RowTally {
  const tally = new RowTally();
  for (const error of errors) tally.add(error);
  return tally;
}

test('a tally adds up and counts each row in one class', () => {
  fc.assert(
    fc.property(words, (errors) => {
      const tally = tallyOf(errors);
      expect(addsUp(tally.counts())).toBe(true);
      expect(tally.total).toBe(errors.length);
      expect(tally.answered).toBe(errors.filter(isAnswer).length);
      for (const rowClass of ROW_CLASSES) {
        const own = errors.filter((error) => classOf(error) === rowClass);
        expect(tally.counts()[rowClass]).toBe(own.length);
      }
    }),
  );
});

test('what is counted stays as it was when the tally goes on', () => {
  const tally = tallyOf([null]);
  const before = tally.counts();
  tally.add('missing');
  expect(before).toEqual(countRows('succeeded', 1));
});

test('adding and subtracting undo each other, and sums add up', () => {
  fc.assert(
    fc.property(words, words, (first, second) => {
      const [a, b] = [tallyOf(first).counts(), tallyOf(second).counts()];
      expect(addCounts(a, b)).toEqual(tallyOf([...first, ...second]).counts());
      expect(subtractCounts(addCounts(a, b), b)).toEqual(a);
    }),
  );
});

test('a lost, an invented or a negative row does not add up', () => {
  expect(addsUp(NO_ROWS)).toBe(true);
  expect(addsUp({ ...NO_ROWS, total: 1 })).toBe(false);
  expect(addsUp({ ...NO_ROWS, succeeded: 1 })).toBe(false);
  expect(addsUp({ ...NO_ROWS, succeeded: 1, failed: -1 })).toBe(false);
});

test('job_failed and output_gone count as failed and missing', () => {
  expect(ROW_ERROR_TYPES.map((error) => `${error}: ${classOf(error)}`)).toEqual([
    'invalid_row: invalid',
    'http_error: failed',
    'provider_error: failed',
    'malformed: failed',
    'missing: missing',
    'output_gone: missing',
    'expired: expired',
    'cancelled: cancelled',
    'job_failed: failed',
  ]);
  expect(isRowErrorType('missing')).toBe(true);
  expect(isRowErrorType('succeeded')).toBe(false);
  expect(isRowErrorType(undefined)).toBe(false);
});

describe('the outcome', () => {
  const none = { unfinished: 0, cancelled: false, failure: null };
  const rows = addCounts(countRows('succeeded', 3), countRows('failed', 1));
  const failure = { type: 'ProviderAuth', message: '' } as const;
  const unsuccessful = countRows('failed', 4);

  test('all rows answered well is succeeded, cancelled or failed as it may be', () => {
    const facts = { rows: countRows('succeeded', 4), answered: 4, unfinished: 0, cancelled: true, failure };
    expect(decideOutcome(facts)).toBe('succeeded');
  });

  test.each([
    ['a row is not succeeded', { rows, answered: 4, ...none }, 'partial'],
    ['no row succeeded, all were answered', { rows: unsuccessful, answered: 4, ...none }, 'partial'],
    ['nothing was answered, nothing failed', { rows: unsuccessful, answered: 0, ...none }, 'partial'],
    ['a failure, but something was answered', { rows, answered: 1, ...none, failure }, 'partial'],
    ['a failure before any answer', { rows: unsuccessful, answered: 0, ...none, failure }, 'failed'],
    ['a cancel', { rows, answered: 4, ...none, unfinished: 1, cancelled: true }, 'cancelled'],
    [
      'a cancel and a failure',
      { rows: unsuccessful, answered: 0, unfinished: 4, cancelled: true, failure },
      'cancelled',
    ],
    [
      'a cancel that came when only rows that failed for good were left',
      { rows, answered: 4, ...none, cancelled: true },
      'partial',
    ],
    [
      'a cancel before there were rows',
      { rows: NO_ROWS, answered: 0, ...none, cancelled: true },
      'cancelled',
    ],
  ] as const)('%s', (_name, facts, outcome) => expect(decideOutcome(facts)).toBe(outcome));

  test('a batch that succeeded or is partial is finished; the others start again', () => {
    expect(OUTCOMES.filter(isFinished)).toEqual(['succeeded', 'partial']);
  });
});
