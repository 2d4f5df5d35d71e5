import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BATCH_ID_PATTERN,
  batchIdProblem,
  idRefusal,
  isBatchId,
  scheduleIdProblem,
  suggestBatchId,
} from '../../batch/batch-id.js';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('a', 'Z', '9', '.', '_', ':', '-', '/', ' ', '\n'), maxLength: 300 }),
);

describe('a batch id', () => {
  it.each([['a'], ['9'], ['nightly-2026-11-22T12:00:00Z'], ['a..b'], ['x'.repeat(200)]])('is %j', (id) => {
    expect(isBatchId(id)).toBe(true);
    expect(batchIdProblem(id)).toBeNull();
  });

  it.each([[''], ['.'], ['..'], ['-a'], ['a/b'], ['a\\b'], ['a b'], ['a\n'], ['é'], ['x'.repeat(201)]])(
    'is not %j, which is refused with one that would do',
    (text) => {
      expect(isBatchId(text)).toBe(false);
      const suggestion = `${JSON.stringify(suggestBatchId(text))} would do`;
      // A cut one is no help.
      if (text.length > 200) expect(batchIdProblem(text)).not.toContain('would do');
      else expect(batchIdProblem(text)).toContain(suggestion);
    },
  );

  it.each([[null], [undefined], [7], [['a']], [{ toString: () => 'a' }]])('is a text, not %j', (value) => {
    expect(isBatchId(value)).toBe(false);
    expect(batchIdProblem(value)).toMatch(/^a batch id must be a string; this is /);
    expect(idRefusal('schedule', value)).toMatch(/^a schedule id must be a string; this is /);
  });

  it('is refused by its own words', () => {
    expect(idRefusal('batch', 'a')).toBeNull();
    expect(idRefusal('batch', '')).toMatch(/^"" is no batch id: /);
    expect(idRefusal('batch', null)).toBe('a batch id must be a string; this is null');
    expect(idRefusal('schedule', 5)).toBe('a schedule id must be a string; this is of type number');
  });

  it('never leaves its folder of the store', () => {
    fc.assert(
      fc.property(anyText, (text) => !isBatchId(text) || !(/[/\\\s]/.test(text) || text.startsWith('.'))),
    );
  });

  it('is told by the published pattern as well', () => {
    const pattern = new RegExp(BATCH_ID_PATTERN);
    fc.assert(fc.property(anyText, (text) => pattern.test(text) === isBatchId(text)));
  });
});

describe('a suggested id', () => {
  it('is a batch id, whatever was given', () => {
    fc.assert(fc.property(anyText, (text) => isBatchId(suggestBatchId(text))));
  });

  it.each([
    ['my batch', 'my-batch'],
    ['  März 2026! ', 'M-rz-2026'],
    ['../etc/passwd', 'etc-passwd'],
    ['???', 'batch'],
    ['', 'batch'],
  ])('for %j is %j', (text, id) => {
    expect(suggestBatchId(text)).toBe(id);
  });
});

describe('a schedule id', () => {
  it('leaves room for the time in the ids of its batches', () => {
    const longest = 'x'.repeat(179);
    expect(scheduleIdProblem(longest)).toBeNull();
    expect(isBatchId(`${longest}-2026-11-22T12:00:00Z`)).toBe(true);
    expect(scheduleIdProblem(`${longest}x`)).toContain('a schedule id has 1 to 179');
  });

  it('is refused under its own name, with one that would do', () => {
    expect(scheduleIdProblem('a b')).toMatch(/^a schedule id has .*; "a-b" would do$/);
    fc.assert(fc.property(anyText, (text) => scheduleIdProblem(suggestBatchId(text, 179)) === null));
  });
});

it('does not take the name of the store’s own file', () => {
  expect(batchIdProblem('store.json')).toMatch(/choose another id/);
});
