import { describe, expect, it } from 'vitest';
import { nextFileLookMs, nextReadingMs } from '../../batch/output-doubt.js';
import type { EndedJob, OutputReading } from '../../batch/output-doubt.js';

const counts = { total: 10, completed: 10, succeeded: 7, failed: 3 };
const all7 = { ...counts, failed: 0 };
const HOUR = 3_600_000;
const job: EndedJob = { phase: 'succeeded', counts, outputFile: 'o', errorFile: 'e', completedAt: 0 };
const reading = (lines: number, sha256 = 'a', cutOff = false): OutputReading => ({
  lines,
  sha256,
  cutOff,
  oversized: false,
});

describe('a file that is not there', () => {
  it.each([
    ['is looked for just after the end', 1, 100_000, 101_000, 10_000],
    ['is looked for when nobody says when the job ended', 1, null, 101_000, 10_000],
    ['is looked for twice more, a minute after the end', 1, 100_000, 160_000, 2_000],
    ['is looked for once more, however old', 2, 100_000, 86_400_000, 2_000],
    ['is gone at the third look, a minute after the end', 3, 100_000, 160_000, null],
    ['is gone at the seventh look, whatever the clocks say', 7, 900_000, 100_000, null],
    ['is looked for by a clock that is ahead of ours', 6, 900_000, 100_000, 10_000],
  ])('%s', (_, looks, endedAt, now, next) => {
    expect(nextFileLookMs({ looks, endedAt, now })).toBe(next);
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
    expect(nextReadingMs(readings, { job, rows: 10, now: HOUR }) !== null).toBe(doubtful);
  });

  it('is repeated soon the first time, and then at leisure', () => {
    expect(nextReadingMs([reading(9)], { job, rows: 10, now: HOUR })).toBe(1_000);
    expect(nextReadingMs([reading(9), reading(9)], { job, rows: 10, now: HOUR })).toBe(4_000);
  });

  it.each<[string, Partial<EndedJob>, number, number]>([
    ['a minute after its end where no file is named for rows that it counts', { outputFile: null }, 5, 16],
    ['the same for its errors', { errorFile: null }, 5, 16],
    ['the same where nobody says when it ended', { outputFile: null, completedAt: null }, HOUR, 16],
    ['at once where its end is a minute ago', { outputFile: null }, 60_000, 3],
    ['at once where nothing is counted for the file', { errorFile: null, counts: all7 }, 5, 3],
    [
      'at once where the job was cancelled, which may have made none',
      { outputFile: null, phase: 'cancelled' },
      5,
      3,
    ],
  ])('of a job is believed %s', (_, more, now, believedAfter) => {
    const facts = { job: { ...job, ...more }, rows: 10, now };
    const same = (times: number) => Array.from({ length: times }, () => reading(3));
    expect(nextReadingMs(same(believedAfter - 1), facts)).not.toBeNull();
    expect(nextReadingMs(same(believedAfter), facts)).toBeNull();
  });

  it('that is another each time is believed in the end, if no other had more lines', () => {
    const facts = { job, rows: 10, now: HOUR };
    const others = Array.from({ length: 29 }, (_, n) => reading(9, String(n)));
    expect(nextReadingMs(others, facts)).not.toBeNull();
    expect(nextReadingMs([...others, reading(9, 'last')], facts)).toBeNull();
    expect(nextReadingMs([...others, reading(8, 'last')], facts)).not.toBeNull();
    expect(nextReadingMs([...others, reading(9, 'last', true)], facts)).not.toBeNull();
  });

  it('is not asked for more lines than the round has rows, or than are done', () => {
    const wrong = { ...counts, failed: 1_000_000 };
    const none = { ...counts, succeeded: 0, failed: 0 };
    const facts = { rows: 4, now: HOUR };
    expect(nextReadingMs([reading(4)], { ...facts, job: { ...job, counts: wrong } })).toBeNull();
    expect(nextReadingMs([reading(3)], { ...facts, job: { ...job, counts: wrong } })).not.toBeNull();
    expect(nextReadingMs([reading(0)], { ...facts, job: { ...job, counts: none } })).toBeNull();
  });
});
