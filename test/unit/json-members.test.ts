import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findMember, insertFirstMember, topLevelMembers, type Span } from '../../batch/json-members.js';

const space = fc.constantFrom('', '', ' ', '\n', '\t\r\n ');
const scalar = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-1.5e+10',
    '9007199254740993',
    '""',
    '"}"',
    '"{\\"a\\":1}"',
    '"\\\\"',
  ),
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary-ascii' }).map((text) => JSON.stringify(text)),
);

/** A JSON string of the same value in one of its many spellings. */
const spelledKey = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('custom_id', 'body', '__proto__', '', 'ä', '𝄞', '"', '\\'),
      fc.string({ unit: 'grapheme' }),
    ),
    fc.infiniteStream(fc.boolean()),
  )
  .map(([key, escape]) => {
    const units = [
      ...JSON.stringify(key)
        .slice(1, -1)
        .matchAll(/\\.|[^\\]/gsu),
    ].map(([unit]) =>
      unit.startsWith('\\') || escape.next().value !== true
        ? unit
        : unit
            .split('')
            .map((part) => `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`)
            .join(''),
    );
    return `"${units.join('')}"`;
  });

const join = (open: string, items: readonly string[], close: string, pad: string) =>
  `${open}${pad}${items.join(`${pad},${pad}`)}${pad}${close}`;

const { object } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalar, tie('array'), tie('object')),
  array: fc
    .tuple(fc.array(tie('value'), { maxLength: 4 }), space)
    .map(([items, pad]) => join('[', items, ']', pad)),
  object: fc
    .tuple(fc.array(fc.tuple(spelledKey, space, tie('value')), { maxLength: 5 }), space)
    .map(([members, pad]) =>
      join(
        '{',
        members.map(([key, gap, value]) => `${key}${gap}:${gap}${value}`),
        '}',
        pad,
      ),
    ),
}));

const utf8 = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (bytes: Uint8Array, span: Span) =>
  Buffer.from(bytes.subarray(span.start, span.end)).toString();

function parse(text: string): unknown {
  return JSON.parse(text);
}

function ownEntries(text: string): [string, unknown][] {
  const value = parse(text);
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

describe('members of an object', () => {
  test('are those that JSON.parse finds, whatever the spelling', () => {
    fc.assert(
      fc.property(object, space, space, (text, before, after) => {
        const bytes = utf8(before + text + after);
        const found = new Map<string, unknown>();
        for (const { key, value } of topLevelMembers(bytes)) found.set(key, parse(textOf(bytes, value)));
        const expected = new Map(ownEntries(text));
        expect(found).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('are found by key, the last of several, within any surroundings', () => {
    fc.assert(
      fc.property(object, fc.string(), fc.string(), (text, before, after) => {
        const bytes = utf8(before + text + after);
        const start = utf8(before).length;
        const end = start + utf8(text).length;
        for (const [key, value] of ownEntries(text)) {
          const span = findMember(bytes, key, start, end);
          expect(span).not.toBeNull();
          if (span !== null) expect(parse(textOf(bytes, span))).toEqual(value);
        }
        expect(findMember(bytes, 'not a key of it', start, end)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test('keep their bytes, which parsing would change', () => {
    const bytes = utf8(
      '{"response": {"status_code":200 , "body":{ "n" : 9007199254740993, "e":"\\u00e4" } }}',
    );
    const response = findMember(bytes, 'response');
    const body = response && findMember(bytes, 'body', response.start, response.end);
    expect(body && textOf(bytes, body)).toBe('{ "n" : 9007199254740993, "e":"\\u00e4" }');
  });

  test('are found under escaped keys and not under longer or shorter ones', () => {
    const bytes = utf8('{"custom_idx":1,"custom_i":2,"\\u0063ustom_id":3,"sch\\u00f6n":4,"grün":5}');
    const at = (key: string) => {
      const span = findMember(bytes, key);
      return span && textOf(bytes, span);
    };
    expect([at('custom_id'), at('schön'), at('grün'), at('gr'), at('grüne')]).toEqual([
      '3',
      '4',
      '5',
      null,
      null,
    ]);
  });

  test('after the one that was asked for are not looked at', () => {
    const bytes = utf8('{"custom_id":"a", this is not JSON');
    const [first] = topLevelMembers(bytes);
    expect(first?.key).toBe('custom_id');
    expect(() => [...topLevelMembers(bytes)]).toThrow(RangeError);
  });

  test('nested a million deep do not overflow the stack', () => {
    const depth = 1_000_000;
    const bytes = utf8(`{"a":${'['.repeat(depth)}${']'.repeat(depth)},"b":1}`);
    const span = findMember(bytes, 'b');
    expect(span && textOf(bytes, span)).toBe('1');
  });

  test('bytes that are no object end in a RangeError, never in an endless loop', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', ' ', 'u', '0', 'a'), {
            maxLength: 30,
          })
          .map((parts) => parts.join('')),
        (text) => {
          try {
            for (const { value } of topLevelMembers(utf8(text)))
              expect(value.end).toBeLessThanOrEqual(text.length);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
      { numRuns: 1000 },
    );
    for (const text of [
      '',
      '[]',
      'null',
      '"{}"',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":}',
      '{"a":"',
      '{"a" 1}',
      '{1:2}',
    ]) {
      expect(() => findMember(utf8(text), 'a')).toThrow(RangeError);
    }
  });
});

describe('inserting a member', () => {
  test('changes nothing but the beginning', () => {
    fc.assert(
      fc.property(object, space, spelledKey, (text, before, key) => {
        const line = before + text;
        const result = Buffer.from(insertFirstMember(utf8(line), `${key}:"ä𝄞"`)).toString();
        const open = line.indexOf('{') + 1;
        expect(result.startsWith(`${line.slice(0, open)}${key}:"ä𝄞"`)).toBe(true);
        expect(result.endsWith(line.slice(open))).toBe(true);
        const [first, ...rest] = topLevelMembers(utf8(result));
        expect(first?.key).toBe(parse(key));
        expect(rest.map((member) => member.key)).toEqual(
          [...topLevelMembers(utf8(line))].map((member) => member.key),
        );
        expect(() => parse(result)).not.toThrow();
      }),
    );
  });

  test('needs no comma in an empty object, and an object at all', () => {
    const insert = (line: string) =>
      Buffer.from(insertFirstMember(utf8(line), '"custom_id":"longhaul-5"')).toString();
    expect(insert('{}')).toBe('{"custom_id":"longhaul-5"}');
    expect(insert(' { }')).toBe(' {"custom_id":"longhaul-5" }');
    expect(insert('{"body":{}}')).toBe('{"custom_id":"longhaul-5","body":{}}');
    expect(() => insert('[]')).toThrow(RangeError);
  });
});
