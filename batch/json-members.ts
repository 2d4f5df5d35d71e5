/**
 * Finds members of JSON objects in bytes, without building the objects: rows and answers are copied byte for
 * byte, because parsing and writing them again would change them (JSON.parse turns 9007199254740993 into …992).
 *
 * The bytes must hold one valid JSON object in UTF-8 (check with JSON.parse first); other bytes give a
 * `RangeError` or a wrong answer, but never a read outside of `[start, end)`.
 */

/** Half-open byte range. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Member {
  readonly key: string;
  readonly value: Span;
}

interface RawMember {
  /** Within the quotes. */
  readonly key: Span;
  readonly value: Span;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Members of the object in `[start, end)`, in order, duplicates included. Keys are decoded, values are spans.
 * Nothing after the last member that was asked for is looked at.
 */
export function* topLevelMembers(bytes: Uint8Array, start = 0, end = bytes.length): Generator<Member> {
  for (const { key, value } of rawMembers(bytes, start, end)) {
    yield { key: decodeString(bytes, key.start, key.end), value };
  }
}

/** The value of a top-level member; of several with that key the last, as with JSON.parse. */
export function findMember(bytes: Uint8Array, key: string, start = 0, end = bytes.length): Span | null {
  let found: Span | null = null;
  for (const member of rawMembers(bytes, start, end)) {
    if (isKey(bytes, member.key, key)) found = member.value;
  }
  return found;
}

/** `line` with a member put before all others: `"custom_id":"longhaul-5"`. The rest stays byte for byte. */
export function insertFirstMember(line: Uint8Array, jsonMemberText: string): Uint8Array {
  const open = skipSpace(line, 0, line.length);
  if (line[open] !== OPEN_BRACE) throw notAnObject(open);
  const isEmpty = line[skipSpace(line, open + 1, line.length)] === CLOSE_BRACE;
  const member = encodeUtf8(isEmpty ? jsonMemberText : `${jsonMemberText},`);
  const result = new Uint8Array(line.length + member.length);
  result.set(line.subarray(0, open + 1));
  result.set(member, open + 1);
  result.set(line.subarray(open + 1), open + 1 + member.length);
  return result;
}

function* rawMembers(bytes: Uint8Array, start: number, end: number): Generator<RawMember> {
  let at = skipSpace(bytes, start, end);
  if (at >= end || bytes[at] !== OPEN_BRACE) throw notAnObject(at);
  at = skipSpace(bytes, at + 1, end);
  if (at < end && bytes[at] === CLOSE_BRACE) return;
  for (;;) {
    if (at >= end || bytes[at] !== QUOTE) throw notAnObject(at);
    const keyEnd = skipString(bytes, at, end);
    const colon = skipSpace(bytes, keyEnd, end);
    if (colon >= end || bytes[colon] !== COLON) throw notAnObject(colon);
    const valueStart = skipSpace(bytes, colon + 1, end);
    const valueEnd = skipValue(bytes, valueStart, end);
    yield { key: { start: at + 1, end: keyEnd - 1 }, value: { start: valueStart, end: valueEnd } };
    at = skipSpace(bytes, valueEnd, end);
    if (at >= end) throw notAnObject(at);
    if (bytes[at] === CLOSE_BRACE) return;
    if (bytes[at] !== COMMA) throw notAnObject(at);
    at = skipSpace(bytes, at + 1, end);
  }
}

function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(bytes[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Position after the closing quote of the string that opens at `from`. */
function skipString(bytes: Uint8Array, from: number, end: number): number {
  for (let search = from + 1; ;) {
    const quote = bytes.indexOf(QUOTE, search);
    if (quote === -1 || quote >= end) throw notAnObject(end);
    // A quote is escaped if and only if an odd number of backslashes stands before it.
    let slash = quote - 1;
    while (slash > from && bytes[slash] === BACKSLASH) slash -= 1;
    if ((quote - slash) % 2 === 1) return quote + 1;
    search = quote + 1;
  }
}

function skipValue(bytes: Uint8Array, from: number, end: number): number {
  const first = bytes[from];
  if (from >= end) throw notAnObject(from);
  if (first === QUOTE) return skipString(bytes, from, end);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(bytes, from, end);
  let at = from;
  while (at < end && !endsScalar(bytes[at])) at += 1;
  if (at === from) throw notAnObject(from);
  return at;
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte);
}

/** Counts brackets instead of recursing: a row nested a million deep must not overflow the stack. */
function skipNested(bytes: Uint8Array, from: number, end: number): number {
  let depth = 0;
  for (let at = from; at < end;) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at, end);
      continue;
    }
    at += 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  throw notAnObject(end);
}

function isKey(bytes: Uint8Array, span: Span, key: string): boolean {
  for (let index = 0; index < key.length; index += 1) {
    const at = span.start + index;
    if (at >= span.end) return false;
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH || byte >= 0x80) return decodeString(bytes, span.start, span.end) === key;
    if (byte !== key.charCodeAt(index)) return false;
  }
  return span.start + key.length === span.end;
}

function notAnObject(at: number): RangeError {
  return new RangeError(`Not a JSON object (at byte ${at})`);
}

const SIMPLE_ESCAPES: Readonly<Record<number, string>> = {
  0x62: '\b',
  0x66: '\f',
  0x6e: '\n',
  0x72: '\r',
  0x74: '\t',
};

/** Content of a JSON string, without its quotes. */
function decodeString(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end;) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH) {
      const escape = bytes[at + 1] ?? 0;
      if (escape === 0x75) {
        text += String.fromCharCode(hexAt(bytes, at + 2));
        at += 6;
      } else {
        text += SIMPLE_ESCAPES[escape] ?? String.fromCharCode(escape);
        at += 2;
      }
    } else if (byte < 0x80) {
      text += String.fromCharCode(byte);
      at += 1;
    } else {
      const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      text += String.fromCodePoint(codePointAt(bytes, at, length));
      at += length;
    }
  }
  return text;
}

function hexAt(bytes: Uint8Array, at: number): number {
  return Number.parseInt(String.fromCharCode(...bytes.subarray(at, at + 4)), 16);
}

function codePointAt(bytes: Uint8Array, at: number, length: number): number {
  let point = (bytes[at] ?? 0) & (0xff >> (length + 1));
  for (let index = 1; index < length; index += 1) point = (point << 6) | ((bytes[at + index] ?? 0) & 0x3f);
  return Math.min(point, 0x10ffff);
}

/** This room has neither Node's Buffer nor the web's TextEncoder: the workflow sandbox loads it. */
function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x10000)
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    else
      bytes.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 0x3f),
        0x80 | ((point >> 6) & 0x3f),
        0x80 | (point & 0x3f),
      );
  }
  return Uint8Array.from(bytes);
}
