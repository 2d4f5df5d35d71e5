import { describe, expect, it } from 'vitest';
import { isDoubtful, mayStillShow } from '../../batch/output-doubt.js';
import type { OutputReading } from '../../batch/output-doubt.js';

const counts = { total: 10, completed: 10, succeeded: 7, failed: 3 };
const reading = (lines: number, sha256 = 'a', cutOff = false): OutputReading => ({ lines, sha256, cutOff });

describe('a file that is not there', () => {
  it.each([
    ['just after the end', 1, 100_000, 101_000, true],
    ['when nobody says when the job ended', 1, null, 101_000, true],
    ['a minute after the end', 1, 100_000, 160_000, false],
    ['at the seventh look, whatever the clocks say', 7, 900_000, 100_000, false],
    ['by a clock that is ahead of ours', 6, 900_000, 100_000, true],
  ])('%s', (_, attempt, endedAt, now, may) => {
    expect(mayStillShow({ attempt, endedAt, now })).toBe(may);
  });
});

describe('a download', () => {
  it.each<[string, readonly OutputReading[], boolean]>([
    ['has all lines', [reading(10)], false],
    ['has more lines than rows', [reading(12)], false],
    ['lacks a line', [reading(9)], true],
    ['lacks a line twice', [reading(9), reading(9)], true],
    ['is the same three times', [reading(9), reading(9), reading(9)], false],
    ['is another each time', [reading(9), reading(9, 'b'), reading(9)], true],
    ['is the same again after another', [reading(8, 'b'), reading(9), reading(9)], true],
    ['is the same three times after another', [reading(8, 'b'), reading(9), reading(9), reading(9)], false],
    ['is whole after it was not', [reading(9), reading(10, 'b')], false],
    ['ends in the middle of a line', [reading(10, 'a', true)], true],
    ['ends so three times', Array.from({ length: 3 }, () => reading(10, 'a', true)), false],
  ])('that %s', (_, readings, doubtful) => {
    expect(isDoubtful(readings, { counts, rows: 10 })).toBe(doubtful);
  });

  it('is not asked for more lines than the round has rows, or than are done', () => {
    const wrong = { ...counts, failed: 1_000_000 };
    expect(isDoubtful([reading(4)], { counts: wrong, rows: 4 })).toBe(false);
    expect(isDoubtful([reading(3)], { counts: wrong, rows: 4 })).toBe(true);
    expect(isDoubtful([reading(0)], { counts: { ...counts, succeeded: 0, failed: 0 }, rows: 10 })).toBe(
      false,
    );
  });
});
