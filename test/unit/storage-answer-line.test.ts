import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ROW_ERROR_TYPES } from '../../batch/rows.js';
import { answerLine, readAnswerLine } from '../../storage/answer-line.js';
import type { AnswerHead } from '../../storage/answer-line.js';

const HEAD: AnswerHead = { position: 12, line: 13, error: null, retryable: false, usage: null };
const RESULT = Buffer.from('{"custom_id":"é","n":9007199254740993}');

const head: fc.Arbitrary<AnswerHead> = fc.record({
  position: fc.nat(),
  line: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  error: fc.constantFrom(null, ...ROW_ERROR_TYPES),
  retryable: fc.boolean(),
  usage: fc.option(fc.dictionary(fc.string({ unit: 'binary' }), fc.integer())),
});

describe('a line of answers.jsonl', () => {
  it('gives back its head and the bytes of its result', () => {
    const property = fc.property(head, fc.json(), (written, json) => {
      const result = Buffer.from(JSON.stringify({ json }));
      const line = answerLine(written, result);
      expect(line.includes(0x0a)).toBe(false);
      expect(JSON.parse(line.toString())).toMatchObject({ result: { json } });
      const read = readAnswerLine(line);
      expect(read?.result.equals(result)).toBe(true);
      expect(JSON.stringify(read?.head)).toBe(
        JSON.stringify({ ...written }).replace(/^\{/, `{"at":${line.indexOf(result)},`),
      );
    });
    fc.assert(property);
  });

  it('says where the result begins in a field of fixed width', () => {
    expect(answerLine(HEAD, RESULT).toString()).toBe(
      `{"at":   89,"position":12,"line":13,"error":null,"retryable":false,"usage":null,"result":${RESULT.toString()}}`,
    );
  });

  it('drops a usage that would not fit its head', () => {
    const usage = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`tokens-${n}`, n]));
    const read = readAnswerLine(answerLine({ ...HEAD, usage }, RESULT));
    expect(read?.head.usage).toBeNull();
    expect(read?.result.equals(RESULT)).toBe(true);
  });

  it('keeps a usage whose names take three bytes a character', () => {
    const usage = { ['語'.repeat(9000)]: 1 };
    expect(readAnswerLine(answerLine({ ...HEAD, usage }, RESULT))?.head.usage).toEqual(usage);
  });

  const good = answerLine(HEAD, RESULT).toString();
  it.each([
    ['nothing', ''],
    ['a bare object', '{}'],
    ['another record', '{"custom_id":"a","response":null}'],
    ['no offset', good.replace('   89', '    0')],
    ['an offset beyond its end', good.replace('   89', '99999')],
    ['an offset into the head', good.replace('   89', '   30')],
    ['an offset that is no number', good.replace('   89', '  abc')],
    ['an unknown error', good.replace('"error":null', '"error":"oops"')],
    ['a position that is a text', good.replace('12', '"12"')],
  ])('is refused: %s', (_, line) => {
    expect(readAnswerLine(Buffer.from(line))).toBeNull();
  });

  it('is never taken apart beyond its bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => readAnswerLine(Buffer.from(bytes))).not.toThrow();
      }),
    );
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 32, max: 126 }), (at, byte) => {
        const line = Buffer.from(good);
        line[at] = byte;
        expect(() => readAnswerLine(line)).not.toThrow();
      }),
    );
  });
});
