import { characterCount } from './characters.js';

/** The rules that a row of the input must keep; what breaks one is never sent. */

const MAX_CUSTOM_ID_LENGTH = 256;

export interface RowContext {
  readonly model: string;
  readonly endpoint: string;
}

export type RowCheck =
  /** `customId` is null when the row has none; it gets a number then. */
  { readonly ok: true; readonly customId: string | null } | { readonly ok: false; readonly reason: string };

/**
 * Checks one parsed line. By hand, because it runs a million times; whether a custom_id was used before and
 * whether the line is too long is seen by its reader. Reasons name fields and rules, never the row's own
 * values: they travel into messages and histories.
 */
export function checkRow(row: unknown, { model, endpoint }: RowContext): RowCheck {
  if (!isObject(row))
    return refuse(`is ${kindOf(row)}, not a JSON object like {"custom_id": …, "body": {…}}`);
  if (Object.hasOwn(row, 'method') || Object.hasOwn(row, 'url')) return refuse(openAiForm(endpoint));

  const { body } = row;
  if (!Object.hasOwn(row, 'body')) return refuse('has no "body": put the request\'s JSON under "body"');
  if (!isObject(body)) return refuse(`has a "body" that is ${kindOf(body)}, not an object`);

  if (Object.hasOwn(body, 'model') && body['model'] !== model) {
    return refuse(`has a "body.model" other than the batch's model ${model}: remove it, or make it the same`);
  }
  if (body['stream'] === true) {
    return refuse('has "body.stream": true, and a batch can\'t stream: remove it');
  }
  return checkCustomId(row);
}

function checkCustomId(row: JsonObject): RowCheck {
  if (!Object.hasOwn(row, 'custom_id')) return { ok: true, customId: null };
  const customId = row['custom_id'];
  if (typeof customId !== 'string') {
    return refuse(`has a "custom_id" that is ${kindOf(customId)}: make it a string, or leave it out`);
  }
  if (isTooLong(customId)) {
    return refuse(`has a "custom_id" of more than ${MAX_CUSTOM_ID_LENGTH} characters: shorten it`);
  }
  return { ok: true, customId };
}

/** Characters are code points, as the provider's own length limits count them; an emoji is one. */
function isTooLong(text: string): boolean {
  if (text.length <= MAX_CUSTOM_ID_LENGTH) return false;
  return text.length > 2 * MAX_CUSTOM_ID_LENGTH || characterCount(text) > MAX_CUSTOM_ID_LENGTH;
}

function openAiForm(endpoint: string): string {
  return (
    'has "method" or "url", the form of OpenAI\'s batches: keep "custom_id" and "body" only' +
    ` (jq -c 'del(.method, .url)' does it); the endpoint is given once for all rows, here ${endpoint}`
  );
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'undefined' ? 'nothing' : `a ${typeof value}`;
}

function refuse(reason: string): RowCheck {
  return { ok: false, reason };
}
