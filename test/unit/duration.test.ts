import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../batch/duration.js';

test.each([
  ['500ms', 500],
  ['5s', 5000],
  ['10m', 600_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['0s', 0],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  '',
  '5',
  's',
  '5 s',
  ' 5s',
  '5s ',
  '-5s',
  '+5s',
  '1.5h',
  '05s',
  '5S',
  '5sec',
  '1h30m',
  '5w',
  '1e3s',
  '٥s',
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test('one that is too long to count exactly is none', () => {
  expect(parseDuration('104249991d')).toBe(104_249_991 * 86_400_000);
  expect(parseDuration('104249992d')).toBeNull();
  expect(parseDuration(`${'9'.repeat(400)}s`)).toBeNull();
});

test.each([
  [0, '0s'],
  [1500, '1500ms'],
  [5000, '5s'],
  [90_000, '90s'],
  [600_000, '10m'],
  [129_600_000, '36h'],
  [86_400_000, '1d'],
])('%d ms is written %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test('what is written is read back, and no text of the same duration is shorter', () => {
  const anyDuration = fc.oneof(
    fc.maxSafeNat(),
    fc
      .tuple(fc.nat(1000), fc.constantFrom(1, 1000, 60_000, 3_600_000, 86_400_000))
      .map(([count, unit]) => count * unit),
  );
  fc.assert(
    fc.property(anyDuration, (milliseconds) => {
      const text = formatDuration(milliseconds);
      expect(parseDuration(text)).toBe(milliseconds);
      for (const [unit, size] of Object.entries({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 })) {
        if (milliseconds % size === 0)
          expect(text.length).toBeLessThanOrEqual(`${milliseconds / size}${unit}`.length);
      }
    }),
  );
});

test('what is no whole number of milliseconds is not written', () => {
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => formatDuration(value)).toThrow(RangeError);
  }
});
