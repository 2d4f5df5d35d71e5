import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AttemptLedger } from '../../emulator/rows/attempt-ledger.js';
import { LineIndex } from '../../emulator/rows/line-index.js';
import { renderRow } from '../../emulator/rows/render-row.js';
import type { RenderedRow, RowSettings } from '../../emulator/rows/render-row.js';

const SETTINGS: RowSettings = {
  seed: 1,
  rowErrorRate: 0,
  permanentErrorShare: 0.04,
  endpoint: '/v1/chat/completions',
  model: 'm',
};

function row(customId: string | null, content: string): string {
  return JSON.stringify({ custom_id: customId, body: { messages: [{ role: 'user', content }] } });
}

function render(text: string, settings: Partial<RowSettings> = {}, attempt = 0, index = 0): RenderedRow {
  return renderRow(text, index, { ...SETTINGS, ...settings }, () => attempt);
}

describe('an answer', () => {
  test('is a function of seed, custom_id and body: not of attempts, place or spelling of the line', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(5), fc.nat(1e6), (customId, content, attempt, index) => {
        const line = row(customId, content);
        const spaced = `  ${line.replace('{', '{ "extra": 1, ')} `;
        expect(render(spaced, {}, attempt, index).line).toBe(render(line).line);
      }),
    );
  });

  test.each([
    ['custom_id', render(row('b', 'x')).line],
    ['body', render(row('a', 'y')).line],
    ['seed', render(row('a', 'x'), { seed: 2 }).line],
  ])('changes with the %s', (_name, line) => {
    expect(line).not.toBe(render(row('a', 'x')).line);
  });

  test("keeps the row's custom_id, null included", () => {
    fc.assert(
      fc.property(fc.option(fc.string({ unit: 'binary' })), (customId) => {
        expect(JSON.parse(render(row(customId, 'x')).line)).toMatchObject({
          custom_id: customId,
          error: null,
        });
      }),
    );
  });
});

describe('a failure', () => {
  const ROWS = Array.from({ length: 2000 }, (_, index) => row(`row-${index}`, 'x'));
  const failures = (settings: Partial<RowSettings>, attempt: number) =>
    ROWS.flatMap((line, index) => (render(line, settings, attempt).failed ? [index] : []));

  test('happens to about the given share of rows', () => {
    expect(failures({ rowErrorRate: 0.1 }, 0).length).toBeGreaterThan(140);
    expect(failures({ rowErrorRate: 0.1 }, 0).length).toBeLessThan(260);
    expect(failures({ rowErrorRate: 1 }, 0)).toHaveLength(2000);
  });

  test('is drawn anew for each attempt, and the same for the same attempt', () => {
    const settings = { rowErrorRate: 0.2, permanentErrorShare: 0 };
    expect(failures(settings, 1)).not.toEqual(failures(settings, 0));
    expect(failures(settings, 1)).toEqual(failures(settings, 1));
  });

  test('that is permanent happens in every attempt', () => {
    const settings = { rowErrorRate: 0.2, permanentErrorShare: 1 };
    expect(failures(settings, 7)).toEqual(failures(settings, 0));
  });

  test('comes in every known form', () => {
    const forms = ROWS.map((line): unknown => JSON.parse(render(line, { rowErrorRate: 1 }).line));
    expect(forms).toContainEqual(expect.objectContaining({ response: null, error: expect.any(String) }));
    expect(forms).toContainEqual(
      expect.objectContaining({
        response: null,
        error: { code: expect.any(String), message: expect.any(String) },
      }),
    );
    expect(forms).toContainEqual(
      expect.objectContaining({ response: null, error: { message: expect.any(String) } }),
    );
    expect(forms).toContainEqual(
      expect.objectContaining({ response: expect.objectContaining({ status_code: 429 }), error: null }),
    );
    expect(forms).toContainEqual(
      expect.objectContaining({ response: expect.objectContaining({ status_code: 422 }), error: null }),
    );
  });
});

test.each(['nonsense', '[]', 'null', '{"custom_id":"a"}', '{"custom_id":"a","body":[]}'])(
  'a line that is no request fails as a row: %s',
  (line) => {
    const rendered = render(line);
    expect(rendered.failed).toBe(true);
    expect(JSON.parse(rendered.line)).toMatchObject({ response: null, error: { code: 'invalid_request' } });
  },
);

describe('the line index', () => {
  const lineTexts = fc.array(fc.stringMatching(/^[ab \t]{0,6}\r?$/u), { maxLength: 20 });

  test('finds the non-blank lines, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        lineTexts,
        fc.boolean(),
        fc.array(fc.nat(40), { maxLength: 8 }),
        (texts, lastEnds, cuts) => {
          const bytes = Buffer.from(texts.join('\n') + (lastEnds ? '\n' : ''));
          const index = new LineIndex({ keep: true });
          const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].toSorted(
            (a, b) => a - b,
          );
          let from = 0;
          for (const end of ends) {
            index.push(bytes.subarray(from, end));
            from = end;
          }
          index.end();
          const found = Array.from({ length: index.count }, (_, at) => {
            const { offset, length } = index.at(at);
            return bytes.toString('utf8', offset, offset + length);
          });
          expect(found).toEqual(texts.map((line) => line.trimEnd()).filter((line) => line !== ''));
          expect(index.bytes).toBe(bytes.length);
        },
      ),
    );
  });

  test('grows beyond its first capacity', () => {
    const index = new LineIndex({ keep: true, expected: 0 });
    index.push(Buffer.from('x\n'.repeat(5000)));
    index.end();
    expect([index.count, index.at(4999)]).toEqual([5000, { offset: 9998, length: 1 }]);
    expect(() => index.at(5000)).toThrow(RangeError);
  });
});

test('the ledger counts the jobs that had completed at a mark, each once', async () => {
  const ledger = new AttemptLedger();
  const before = ledger.mark();
  await ledger.add([1, 2, 1]);
  const between = ledger.mark();
  await ledger.add([2, 2]);
  await ledger.add([2, 2]);
  expect([1, 2, 3].map((key) => ledger.attemptsOf(key, before))).toEqual([0, 0, 0]);
  expect([1, 2, 3].map((key) => ledger.attemptsOf(key, between))).toEqual([1, 1, 0]);
  expect([1, 2, 3].map((key) => ledger.attemptsOf(key, ledger.mark()))).toEqual([1, 3, 0]);
});

test('a job counts from the moment that all of it has been added', async () => {
  const ledger = new AttemptLedger();
  const keys = function* () {
    yield 1;
    marks.push(ledger.mark());
    yield 2;
  };
  const marks: number[] = [];
  await ledger.add(keys());
  expect(marks.map((mark) => ledger.attemptsOf(1, mark))).toEqual([0]);
  expect(ledger.attemptsOf(1, ledger.mark())).toBe(1);
});
