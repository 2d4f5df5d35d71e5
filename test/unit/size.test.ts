import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSize, parseSize } from '../../batch/size.js';

test.each([
  ['0', 0],
  ['1024', 1024],
  ['64KB', 64_000],
  ['64KiB', 65_536],
  ['512MB', 512_000_000],
  ['1GiB', 1_073_741_824],
  ['2TB', 2_000_000_000_000],
])('%s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  '',
  'MB',
  '512 MB',
  ' 512MB',
  '512mb',
  '512M',
  '512B',
  '-1',
  '1.5GB',
  '0x10',
  '1e6',
  '01KB',
  '1_000',
  '1kB',
])('%j is no size', (text) => {
  expect(parseSize(text)).toBeNull();
});

test('one that is too large to count exactly is none', () => {
  expect(parseSize('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
  expect(parseSize('9007199254740993')).toBeNull();
  expect(parseSize('9008TB')).toBeNull();
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1KB'],
  [65_536, '64KiB'],
  [512_000_000, '512MB'],
  [1_073_741_824, '1GiB'],
  [1_073_741_825, '1073741825'],
])('%d bytes are written %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test('what is written is read back, and is never longer than the plain number', () => {
  const anySize = fc.oneof(
    fc.maxSafeNat(),
    fc
      .tuple(fc.nat(5000), fc.constantFrom(1, 1e3, 1e6, 1e9, 1e12, 2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40))
      .map(([count, unit]) => count * unit),
  );
  fc.assert(
    fc.property(anySize, (bytes) => {
      const text = formatSize(bytes);
      expect(parseSize(text)).toBe(bytes);
      expect(text.length).toBeLessThanOrEqual(String(bytes).length);
    }),
  );
});

test('what is no whole number of bytes is not written', () => {
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => formatSize(value)).toThrow(RangeError);
  }
});
