import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchIdProblem, isBatchId, suggestBatchId } from '../../batch/batch-id.js';
import { characterCount } from '../../batch/characters.js';
import { checkRow } from '../../batch/input-row.js';
import { batchIdSchema } from '../../schemas/batch-id.js';

const CONTEXT = { model: 'mistral-small-latest', endpoint: '/v1/chat/completions' };

describe('checkRow', () => {
  it.each<[string, string | null]>([
    ['{"body":{}}', null],
    ['{"custom_id":"a","body":{"messages":[]}}', 'a'],
    ['{"custom_id":"","body":{}}', ''],
    ['{"custom_id":"a","body":{"model":"mistral-small-latest"}}', 'a'],
    ['{"custom_id":"a","body":{"stream":false}}', 'a'],
    ['{"custom_id":"a","body":{},"note":1}', 'a'],
    [JSON.stringify({ custom_id: '😀'.repeat(256), body: {} }), '😀'.repeat(256)],
    ['{"__proto__":{"method":"x"},"body":{}}', null],
  ])('takes %s', (line, customId) => {
    expect(checkRow(JSON.parse(line), CONTEXT)).toEqual({ ok: true, customId });
  });

  it.each([
    ['7', 'is a number, not a JSON object'],
    ['null', 'is null, not a JSON object'],
    ['[{}]', 'is a list, not a JSON object'],
    ['{}', 'has no "body"'],
    ['{"body":"x"}', 'has a "body" that is a string'],
    ['{"body":[]}', 'has a "body" that is a list'],
    ['{"body":null}', 'has a "body" that is null'],
    ['{"custom_id":null,"body":{}}', 'has a "custom_id" that is null'],
    ['{"custom_id":7,"body":{}}', 'has a "custom_id" that is a number'],
    [JSON.stringify({ custom_id: 'x'.repeat(257), body: {} }), 'of more than 256 characters'],
    [JSON.stringify({ custom_id: '😀'.repeat(257), body: {} }), 'of more than 256 characters'],
    ['{"body":{"model":"other"}}', "other than the batch's model mistral-small-latest"],
    ['{"body":{"model":null}}', "other than the batch's model"],
    ['{"body":{"stream":true}}', "can't stream"],
    ['{"method":"POST","url":"/v1/x","body":{}}', "jq -c 'del(.method, .url)'"],
    ['{"url":"/v1/x","body":{}}', 'here /v1/chat/completions'],
  ])('refuses %s', (line, reason) => {
    const check = checkRow(JSON.parse(line), CONTEXT);
    expect(check).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });

  it('never repeats what the row says, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('body', 'custom_id', 'method', 'url'), (value, key) => {
        const secret = 'PLANTED-7f3a';
        checkRow(value, CONTEXT);
        const check = checkRow(
          { body: { model: secret }, custom_id: [secret], [key]: secret, x: value },
          CONTEXT,
        );
        expect(JSON.stringify(check)).not.toContain(secret);
      }),
    );
  });
});

describe('batch ids', () => {
  it.each(['a', 'A.b_c:d-e', 'nightly-2026-11-22T12:00:00Z', 'x'.repeat(200)])('takes %s', (id) => {
    expect(isBatchId(id)).toBe(true);
    expect(batchIdProblem(id)).toBeNull();
  });

  it.each(['', '-a', '.a', 'a/b', 'a b', 'ü', 'a\n', 'x'.repeat(201), 7, null])('refuses %j', (id) => {
    expect(isBatchId(id)).toBe(false);
  });

  it('suggests an id that is one, and says so', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(isBatchId(suggestBatchId(text))).toBe(true);
        expect(batchIdSchema.safeParse(text).success).toBe(isBatchId(text));
      }),
    );
    expect(batchIdProblem('my batch/1')).toContain('"my-batch-1" would do');
  });
});

it('counts characters as code points', () => {
  expect([characterCount(''), characterCount('ab'), characterCount('😀ü')]).toEqual([0, 2, 2]);
});
