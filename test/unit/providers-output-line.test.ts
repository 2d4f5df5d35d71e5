import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOutputLine } from '../../providers/mistral/output-line.js';

function read(line: string | object) {
  return readOutputLine(Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)));
}

/** The raw text that a span points at. */
function bodyIn(line: string): string | null {
  const read = readOutputLine(Buffer.from(line));
  if (read.kind !== 'row' || read.response?.body === null || read.response === null) return null;
  return Buffer.from(line).subarray(read.response.body.start, read.response.body.end).toString();
}

const ENVELOPE = { id: 'batch-cd0da3ab-1-x', custom_id: '0' };

describe('readOutputLine', () => {
  it('reads a success, its usage, and where its body stands', () => {
    const line =
      '{"id":"x","custom_id":"ü-0","response":{"status_code":200,"body": {"n":9007199254740993,"usage":{"prompt_tokens":10,"details":{"a":1},"total_tokens":138,"price":null}} },"error":null}';
    expect(read(line)).toMatchObject({
      kind: 'row',
      customId: 'ü-0',
      response: { statusCode: 200 },
      error: null,
      usage: { prompt_tokens: 10, total_tokens: 138 },
    });
    expect(bodyIn(line)).toBe(
      '{"n":9007199254740993,"usage":{"prompt_tokens":10,"details":{"a":1},"total_tokens":138,"price":null}}',
    );
  });

  it('takes the pages of OCR for usage', () => {
    const body = { pages: [], usage_info: { pages_processed: 2, doc_size_bytes: null } };
    expect(read({ ...ENVELOPE, response: { status_code: 200, body }, error: null })).toMatchObject({
      usage: { pages_processed: 2 },
    });
  });

  it.each<[string, object, object]>([
    [
      'error object',
      { error: { code: 'x', message: 'bad' } },
      { response: null, error: { code: 'x', message: 'bad' } },
    ],
    ['error with a numeric code', { error: { code: 429, message: 'slow' } }, { error: { code: '429' } }],
    [
      'bare string',
      { error: '1 validation error' },
      { response: null, error: { message: '1 validation error' } },
    ],
    ['error without words', { error: { kind: 'x' } }, { error: { message: '{"kind":"x"}' } }],
    [
      'error with words as object',
      { error: { message: { detail: 'x' } } },
      { error: { message: '{"detail":"x"}' } },
    ],
    ['error as list', { error: ['a'] }, { error: { message: '["a"]' } }],
    ['empty error object', { error: {} }, { error: { message: '{}' } }],
    [
      'failed status, no error',
      { response: { status_code: 422, body: { detail: 'x' } }, error: null },
      { response: { statusCode: 422 }, error: null },
    ],
    [
      'both',
      { response: { status_code: 500, body: null }, error: { message: 'x' } },
      { response: { statusCode: 500, body: null }, error: { message: 'x' } },
    ],
    ['neither', { response: null, error: null }, { response: null, error: null }],
    ['nothing at all', {}, { response: null, error: null, usage: null }],
    ['empty error text', { error: '' }, { error: null }],
    ['response without status', { response: { body: {} } }, { response: null, error: null }],
    ['status as text', { response: { status_code: '200', body: {} } }, { response: { statusCode: 200 } }],
    ['absurd status', { response: { status_code: 7, body: {} } }, { response: null }],
    ['response that is a list', { response: [] }, { response: null }],
    [
      'body that is a text',
      { response: { status_code: 200, body: 'x' } },
      { response: { statusCode: 200 }, usage: null },
    ],
    ['usage of another type', { response: { status_code: 200, body: { usage: 7 } } }, { usage: null }],
  ])('reads a row with %s', (_what, fields, expected) => {
    expect(read({ ...ENVELOPE, ...fields })).toMatchObject({ kind: 'row', customId: '0', ...expected });
  });

  it.each([
    ['', 'not JSON'],
    ['{"custom_id":"0"', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['{}', 'no custom_id'],
    ['{"custom_id":null}', 'no custom_id'],
    ['{"custom_id":7}', 'no custom_id'],
  ])("can't read %j", (line, reason) => {
    expect(read(line)).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining(reason) });
  });

  it("can't read what is not UTF-8", () => {
    const line = Buffer.concat([Buffer.from('{"custom_id":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(readOutputLine(line)).toMatchObject({ kind: 'unreadable' });
  });

  it('takes the last of repeated members, as JSON.parse does, and passes over a byte order mark', () => {
    const line =
      '\uFEFF{"response":{"status_code":500},"custom_id":"0","response":{"body":1,"status_code":200,"body":{"b":2}}}\r';
    expect(read(line)).toMatchObject({ response: { statusCode: 200 } });
    expect(bodyIn(line)).toBe('{"b":2}');
  });

  it('cuts a long message between characters', () => {
    const line = read({ ...ENVELOPE, error: `x${'😀'.repeat(2_000)}` });
    const message = line.kind === 'row' ? line.error?.message : undefined;
    expect(message).toMatch(/^x(😀)+…$/u);
    expect(message?.length).toBeLessThanOrEqual(2_001);
  });

  it('finds the exact bytes of any body', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, id) => {
        fc.pre(value !== null);
        const body = JSON.stringify(value);
        const line = `{"custom_id":${JSON.stringify(id)}, "response" : {"body":${body} ,"status_code":200}}`;
        expect(bodyIn(line)).toBe(body);
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    const objects = fc.record(
      { custom_id: fc.oneof(fc.string(), fc.jsonValue()), response: fc.jsonValue(), error: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const lines = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      objects.map((value) => new Uint8Array(Buffer.from(JSON.stringify(value)))),
    );
    fc.assert(fc.property(lines, (line) => ['row', 'unreadable'].includes(readOutputLine(line).kind)));
    const deep = `{"custom_id":"0","error":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(['row', 'unreadable']).toContain(read(deep).kind);
  });
});
