import { describe, expect, it } from 'vitest';
import { isDoubtful, nextFileLookMs } from '../../batch/output-doubt.js';
import type { OutputReading } from '../../batch/output-doubt.js';

const counts = { total: 10, completed: 10, succeeded: 7, failed: 3 };
const reading = (lines: number, sha256 = 'a', cutOff = false): OutputReading => ({ lines, sha256, cutOff });

describe('a file that is not there', () => {
  it.each([
    ['is looked for just after the end', 1, 100_000, 101_000, 10_000],
    ['is looked for when nobody says when the job ended', 1, null, 101_000, 10_000],
    ['is looked for twice more, a minute after the end', 1, 100_000, 160_000, 2_000],
    ['is looked for once more, however old', 2, 100_000, 86_400_000, 2_000],
    ['is gone at the third look, a minute after the end', 3, 100_000, 160_000, null],
    ['is gone at the seventh look, whatever the clocks say', 7, 900_000, 100_000, null],
    ['is looked for by a clock that is ahead of ours', 6, 900_000, 100_000, 10_000],
  ])('%s', (_, attempt, endedAt, now, next) => {
    expect(nextFileLookMs({ attempt, endedAt, now })).toBe(next);
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
