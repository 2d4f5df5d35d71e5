import { z } from 'zod';
import { parseJson } from '../../batch/json-text.js';

const code = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (typeof value === 'number' ? String(value) : value))
  .catch(null);

const validationIssue = z.object({ msg: z.string().catch('') });

/** `detail` is text (401) or a list of validation issues (422). Only `msg` is read: `input` echoes rows. */
const detail = z
  .union([z.string(), z.array(validationIssue)])
  .nullish()
  .catch(null);

const errorBody = z.object({
  detail,
  /** Text, or (seen on chat) an object that holds the validation issues. */
  message: z
    .union([z.string(), z.object({ detail })])
    .nullish()
    .catch(null),
  type: z.string().nullish().catch(null),
  code,
});

export interface ErrorBody {
  /** The provider's own words, without what they say about input; empty when there are none. */
  readonly message: string;
  readonly type: string | null;
  readonly code: string | null;
}

const NOTHING: ErrorBody = { message: '', type: null, code: null };

/** Reads an error reply in any of its shapes; HTML of a gateway and other foreign bodies say nothing. */
export function readErrorBody(body: string): ErrorBody {
  const value = parseJson(body);
  // Some gateways wrap the whole error once more.
  const wrapped = z.object({ error: z.record(z.string(), z.unknown()) }).safeParse(value);
  const parsed = errorBody.safeParse(wrapped.success ? wrapped.data.error : value);
  if (!parsed.success) return NOTHING;
  const { message, type, code: errorCode } = parsed.data;
  return {
    message: wordsOf(message) || wordsOf(parsed.data.detail),
    type: type ?? null,
    code: errorCode ?? null,
  };
}

type Words = z.output<typeof errorBody>['message'] | z.output<typeof detail>;

function wordsOf(value: Words): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((issue) => issue.msg).join('; ');
  return wordsOf(value.detail);
}
