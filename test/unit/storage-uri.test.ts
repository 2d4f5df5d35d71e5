import { resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatFileUri, parseFileLocation, schemeOf } from '../../storage/uri.js';

test('a path survives being written as a URI', () => {
  const name = fc
    .string({
      unit: fc.oneof(
        fc.integer({ min: 1, max: 0x17f }).map((code) => String.fromCodePoint(code)),
        fc.constantFrom('%', '?', '#', ':', '\u202e', '𝄞'),
      ),
      minLength: 1,
      maxLength: 12,
    })
    .filter((text) => !/[/\\]/.test(text) && text !== '.' && text !== '..');
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      const path = `/${names.join('/')}`;
      expect(parseFileLocation(formatFileUri(path))).toEqual({ ok: true, path });
    }),
  );
});

test('an absolute path is taken as it is, without trailing slashes', () => {
  expect(parseFileLocation('/data/my store/')).toEqual({ ok: true, path: '/data/my store' });
  expect(formatFileUri('/data/my store/')).toBe('file:///data/my%20store');
});

test.each([
  ['relative/path', 'neither an absolute path'],
  ['s3://bucket/key', 'scheme is s3:'],
  ['http://example.com/x', 'scheme is http:'],
  ['file://host/data', 'no host'],
  ['file://localhost/data', 'no host'],
  ['file:/data', 'no host'],
  ['file:data', 'no host'],
  ['file:///data?x=1', 'no query'],
  ['file:///data#part', 'no query'],
  ['file:///data/%2Fetc', 'slash'],
  ['file:///data/a%5Cb', 'backslash'],
  ['file:///data/%00', 'NUL'],
  ['/data/\0', 'NUL'],
  ['file:///data/%zz', 'percent-encoding'],
  ['file:///data/%ff', 'percent-encoding'],
  ['file:///data/../etc', '".."'],
  ['file:///data/%2e%2e/etc', '".."'],
  ['file:///data/./x', '"."'],
])('%s is refused with a reason', (location, reason) => {
  const parsed = parseFileLocation(location);
  expect(parsed.ok ? `accepted as ${parsed.path}` : parsed.reason).toContain(reason);
});

test('a path is never read as another one than it spells', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseFileLocation(`file:///${text}`);
      if (parsed.ok) expect(resolve(parsed.path)).toBe(parsed.path);
    }),
  );
});

test('a scheme is told from a path', () => {
  expect(schemeOf('S3://bucket')).toBe('s3');
  expect(schemeOf('/a/b:c')).toBeNull();
  expect(schemeOf('a/b:c')).toBeNull();
});
