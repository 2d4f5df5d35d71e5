import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../providers/retry-after.js';

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);

describe('parseRetryAfter', () => {
  it.each<[string | undefined, number | null]>([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['1.5', 1_500],
    ['999999999', 3_600_000],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sunday, 22-Nov-26 12:00:30 GMT', 30_000],
    ['Sun Nov 22 12:00:30 2026', 30_000],
    ['Sun, 22 Nov 2026 11:00:00 GMT', 0],
    ['Mon, 22 Nov 2027 12:00:00 GMT', 3_600_000],
    [undefined, null],
    ['', null],
    ['-1', null],
    ['soon', null],
    ['5 apples', null],
    ['Sunday', null],
    ['1e3', null],
    ['Infinity', null],
  ])('reads %j as %j', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it('reads what Date writes, whatever the time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3600 }), (seconds) => {
        const header = new Date(NOW + seconds * 1000).toUTCString();
        expect(parseRetryAfter(header, NOW)).toBe(seconds * 1000);
      }),
    );
  });

  it('never asks for more than an hour or less than nothing', () => {
    const texts = fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String));
    fc.assert(
      fc.property(texts, (text) => {
        const wait = parseRetryAfter(text, NOW) ?? 0;
        expect(wait >= 0 && wait <= 3_600_000).toBe(true);
      }),
    );
  });
});
