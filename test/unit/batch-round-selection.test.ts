import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnfinished, takesRow } from '../../batch/round-selection.js';
import type { RoundMode, RowState } from '../../batch/round-selection.js';
import { ROW_ERROR_TYPES } from '../../batch/rows.js';
import type { RowErrorType } from '../../batch/rows.js';

const FINAL_FROM = 3;
const BEFORE = FINAL_FROM - 1;

function mode(over: Partial<RoundMode> = {}): RoundMode {
  return { kind: 'normal', rebuyLost: false, finalFrom: FINAL_FROM, ...over };
}

function final(error: RowErrorType, round: number): RowState {
  return { error, retryable: false, round };
}

/** The errors that would be sent again, of rows whose last word is final. */
function taken(round: number, over: Partial<RoundMode> = {}): RowErrorType[] {
  return ROW_ERROR_TYPES.filter((error) => takesRow(final(error, round), mode(over)));
}

const anyMode = fc.record({
  kind: fc.constantFrom<RoundMode['kind']>('normal', 'retry'),
  rebuyLost: fc.boolean(),
  finalFrom: fc.integer({ min: 1, max: 5 }),
});
const anyRound = fc.integer({ min: 0, max: 5 });

describe('a new run', () => {
  it('takes exactly the rows that count as unfinished', () => {
    for (const error of [null, ...ROW_ERROR_TYPES]) {
      for (const retryable of error === null || error === 'output_gone' ? [false] : [true, false]) {
        const state = { error, retryable, round: BEFORE };
        expect([error, retryable, isUnfinished(state)]).toEqual([error, retryable, takesRow(state, mode())]);
      }
    }
  });

  it('sends again what earlier runs left undone, and no error that would only come back', () => {
    expect(taken(BEFORE)).toEqual(['missing', 'expired', 'cancelled', 'job_failed']);
  });

  it('sends every error but an invalid row again with --retry', () => {
    expect(taken(BEFORE, { kind: 'retry' })).toEqual([
      'http_error',
      'provider_error',
      'malformed',
      'missing',
      'expired',
      'cancelled',
      'job_failed',
    ]);
  });

  it('buys lost answers again only with --rebuy-lost', () => {
    expect(taken(BEFORE, { rebuyLost: true })).toEqual([
      'missing',
      'output_gone',
      'expired',
      'cancelled',
      'job_failed',
    ]);
    expect(taken(BEFORE, { kind: 'retry' })).not.toContain('output_gone');
  });
});

describe('within a run', () => {
  it.each([mode(), mode({ kind: 'retry' }), mode({ rebuyLost: true })])('final is final: %j', (given) => {
    for (const round of [FINAL_FROM, FINAL_FROM + 1]) expect(taken(round, given)).toEqual([]);
  });

  it('a row that may be retried is, unless its answer was given and lost', () => {
    for (const error of ROW_ERROR_TYPES) {
      const state = { error, retryable: true, round: FINAL_FROM };
      expect(takesRow(state, mode()), error).toBe(error !== 'output_gone');
    }
  });
});

it('a row that no round spoke of is always sent', () => {
  fc.assert(fc.property(anyMode, (given) => takesRow(null, given)));
});

it('a row that succeeded is never sent again', () => {
  fc.assert(
    fc.property(
      anyMode,
      anyRound,
      fc.boolean(),
      (given, round, retryable) => !takesRow({ error: null, retryable, round }, given),
    ),
  );
});
