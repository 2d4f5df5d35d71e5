import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorLineSchema, resultLineSchema } from '../../schemas/result-line.js';
import { errorLine, resultLine } from '../../storage/result-line.js';

describe('a line of results.jsonl', () => {
  it('copies the body byte for byte', () => {
    const body = String.raw`{"n": 9007199254740993,"f":1.0,"u":"\u00e9"}`;
    const line = resultLine({
      customId: 'a',
      response: { statusCode: 200, body: Buffer.from(body) },
      error: null,
      round: 1,
    });
    expect(line.toString()).toBe(
      `{"custom_id":"a","response":{"status_code":200,"body":${body}},"error":null,"round":1}`,
    );
  });

  it.each([
    [
      { customId: null, response: null, error: { type: 'missing', message: 'm' }, round: 2 },
      '{"custom_id":null,"response":null,"error":{"type":"missing","message":"m"},"round":2}',
    ],
    [
      {
        customId: 'a',
        response: { statusCode: 500, body: null },
        error: { type: 'http_error', message: 'm', statusCode: 500 },
        round: 1,
      },
      '{"custom_id":"a","response":{"status_code":500,"body":null},"error":{"type":"http_error","message":"m","status_code":500},"round":1}',
    ],
  ] as const)('has the documented form', (facts, text) => {
    expect(resultLine(facts).toString()).toBe(text);
    expect(resultLineSchema.safeParse(JSON.parse(text)).success).toBe(true);
  });

  it('holds any id and any message, in one line', () => {
    const anyText = fc.string({ unit: 'binary' });
    const property = fc.property(anyText, anyText, (customId, message) => {
      const line = resultLine({
        customId,
        response: null,
        error: { type: 'provider_error', message },
        round: 1,
      });
      expect(line.includes(0x0a)).toBe(false);
      expect(JSON.parse(line.toString())).toMatchObject({ custom_id: customId, error: { message } });
      const asError: unknown = JSON.parse(errorLine(line, 7).toString());
      expect(errorLineSchema.parse(asError)).toMatchObject({ custom_id: customId, line: 7 });
    });
    fc.assert(property);
  });

  it('keeps an id that UTF-8 can not say', () => {
    const line = resultLine({ customId: '\ud800', response: null, error: null, round: 1 });
    expect(JSON.parse(line.toString())).toMatchObject({ custom_id: '\ud800' });
  });
});
