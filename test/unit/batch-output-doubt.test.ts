import { describe, expect, it } from 'vitest';
import { isDoubtful } from '../../batch/output-doubt.js';
import type { OutputReading } from '../../batch/output-doubt.js';

const counts = { total: 10, completed: 10, succeeded: 7, failed: 3 };
const reading = (lines: number, sha256 = 'a', cutOff = false): OutputReading => ({ lines, sha256, cutOff });

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
