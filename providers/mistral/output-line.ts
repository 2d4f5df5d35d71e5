import { findMember } from '../../batch/json-members.js';
import { parseJson } from '../../batch/json-text.js';
import type { OutputLine, Span } from '../provider.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** An error's message goes into results.jsonl; some providers put a whole request into it. */
const MAX_MESSAGE_LENGTH = 2000;

/**
 * One line of an output or error file. The error file has no official example; the shapes read here were met
 * by other clients: `error` null, a string or an object; `response` null, absent or an object; a failed
 * status without an error; both kinds of line in either file. Never throws.
 */
export function readOutputLine(line: Uint8Array): OutputLine {
  const text = decode(line);
  if (text === null) return unreadable('the line is not UTF-8');
  const value = parseJson(text);
  if (value === undefined) return unreadable('the line is not JSON');
  if (!isObject(value)) return unreadable('the line is not a JSON object');
  const customId = own(value, 'custom_id');
  if (typeof customId !== 'string') return unreadable('the line has no custom_id');
  const response = own(value, 'response');
  const answer = isObject(response) ? response : null;
  const statusCode = answer === null ? null : statusOf(own(answer, 'status_code'));
  const body = answer === null ? undefined : own(answer, 'body');
  return {
    kind: 'row',
    customId,
    // Without a status nobody can say whether a body is an answer: the row counts as malformed.
    response: statusCode === null ? null : { statusCode, body: bodySpan(line, body) },
    error: readError(own(value, 'error')),
    usage: isObject(body) ? readUsage(body) : null,
  };
}

function unreadable(reason: string): OutputLine {
  return { kind: 'unreadable', reason };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(line: Uint8Array): string | null {
  try {
    return utf8.decode(line);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function statusOf(value: unknown): number | null {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599
    ? status
    : null;
}

function bodySpan(line: Uint8Array, body: unknown): Span | null {
  if (body === undefined || body === null) return null;
  const response = findMember(line, 'response', hasMark(line) ? BYTE_ORDER_MARK.length : 0);
  return response === null ? null : findMember(line, 'body', response.start, response.end);
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** The decoder passes over it, so it is no reason to lose a row. */
function hasMark(line: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, index) => line[index] === byte);
}

function readError(error: unknown): { message: string; code?: string } | null {
  if (error === undefined || error === null || error === '' || error === false) return null;
  if (!isObject(error)) return { message: shorten(asText(error)) };
  const said = [own(error, 'message'), own(error, 'detail'), own(error, 'msg')];
  const message = said.find((part) => part !== undefined && part !== null && part !== '') ?? error;
  const code = own(error, 'code') ?? own(error, 'status_code');
  const hasCode = typeof code === 'number' || (typeof code === 'string' && code !== '');
  return { message: shorten(asText(message)), ...(hasCode ? { code: String(code) } : {}) };
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value);
  } catch {
    // Unlike the parser, the writer recurses: what is nested too deeply can be read but not shown.
    return 'an error that is nested too deeply to be shown';
  }
}

function shorten(text: string): string {
  if (text.length <= MAX_MESSAGE_LENGTH) return text;
  // A pair of surrogates that is cut in two leaves a half that UTF-8 can't say.
  return `${text.slice(0, MAX_MESSAGE_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** `usage` counts tokens; OCR is billed by the page and calls it `usage_info`. Nested details are left out. */
function readUsage(body: JsonObject): Readonly<Record<string, number>> | null {
  const usage = own(body, 'usage');
  return numbersIn(usage) ?? numbersIn(own(body, 'usage_info'));
}

function numbersIn(value: unknown): Readonly<Record<string, number>> | null {
  if (!isObject(value)) return null;
  const numbers = Object.entries(value).filter(
    (field): field is [string, number] => typeof field[1] === 'number' && Number.isFinite(field[1]),
  );
  return numbers.length === 0 ? null : Object.fromEntries(numbers);
}
