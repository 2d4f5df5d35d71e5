import { isRowErrorType } from '../batch/rows.js';
import type { RowErrorType } from '../batch/rows.js';

/**
 * A line of `answers.jsonl`: what is known of one row of a round, and the line of `results.jsonl` that says so.
 *
 * `{"at":   87,"position":12,"line":13,"error":null,"retryable":false,"usage":{…},"result":{…}}`
 *
 * `at` is where the result begins, in a field of fixed width: a merge of gigabytes reads the head and copies the
 * rest, without looking for the end of an answer.
 */
export interface AnswerHead {
  readonly position: number;
  readonly line: number;
  /** Null: the row succeeded. */
  readonly error: RowErrorType | null;
  readonly retryable: boolean;
  readonly usage: Readonly<Record<string, number>> | null;
}

const PREFIX = '{"at":';
const WIDTH = 5;
const RESULT = ',"result":';
const MAX_USAGE_CHARACTERS = 10_000;

/** `result` is the text of a JSON object. */
export function answerLine(head: AnswerHead, result: Uint8Array): Buffer {
  const { position, line, error, retryable } = head;
  const text = JSON.stringify({ position, line, error, retryable, usage: boundedUsage(head.usage) }).slice(
    1,
    -1,
  );
  const at = PREFIX.length + WIDTH + 1 + Buffer.byteLength(text) + RESULT.length;
  const start = `${PREFIX}${String(at).padStart(WIDTH)},${text}${RESULT}`;
  return Buffer.concat([Buffer.from(start), result, CLOSE]);
}

const CLOSE = Buffer.from('}');

/** Null when the line is not one of ours. */
export function readAnswerLine(bytes: Buffer): { readonly head: AnswerHead; readonly result: Buffer } | null {
  const at = Number(bytes.toString('latin1', PREFIX.length, PREFIX.length + WIDTH));
  if (!Number.isInteger(at) || at <= 0 || at >= bytes.length) return null;
  let value: unknown;
  try {
    value = JSON.parse(`${bytes.toString('utf8', 0, at - RESULT.length)}}`);
  } catch {
    return null;
  }
  return isHead(value) ? { head: value, result: bytes.subarray(at, -1) } : null;
}

function isHead(value: unknown): value is AnswerHead {
  if (typeof value !== 'object' || value === null) return false;
  const head: Partial<Record<keyof AnswerHead, unknown>> = value;
  return (
    typeof head.position === 'number' &&
    typeof head.line === 'number' &&
    typeof head.retryable === 'boolean' &&
    (head.error === null || isRowErrorType(head.error)) &&
    typeof head.usage === 'object'
  );
}

/** The head's length has five digits; a usage that would not fit is no usage. */
function boundedUsage(usage: AnswerHead['usage']): AnswerHead['usage'] {
  if (usage === null) return null;
  return JSON.stringify(usage).length > MAX_USAGE_CHARACTERS ? null : usage;
}
