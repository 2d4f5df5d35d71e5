import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import { InvalidRowBody, missingField } from './invalid-row-body.js';
import type { Random } from './random.js';

/** Answers are dated from here on, by a draw and not by a clock, so that a repeated job repeats them. */
const EPOCH_SECONDS = 1_761_577_934;

export function drawnCreated(random: Random): number {
  return EPOCH_SECONDS + random.int(86_400);
}

/** About four characters to a token, as is usual for Western text. */
export function tokensOf(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

export function usageOf(promptTokens: number, completionTokens: number): Fields {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

export interface Message {
  readonly role: string;
  readonly text: string;
}

/** The text of a message's content: a string, or the text chunks of a list. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((chunk: unknown) => (isFields(chunk) && typeof chunk['text'] === 'string' ? chunk['text'] : ''))
    .filter((text) => text !== '')
    .join('\n');
}

export function messagesOf(body: Fields, field: string): readonly Message[] {
  const messages = body[field];
  if (messages === undefined) throw missingField(field);
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new InvalidRowBody(['body', field], 'Input should be a non-empty list', 'list_type');
  }
  return messages.map((message: unknown, index) => {
    if (!isFields(message) || typeof message['role'] !== 'string') {
      throw new InvalidRowBody(['body', field, index, 'role'], 'Field required', 'missing');
    }
    return { role: message['role'], text: textOf(message['content']) };
  });
}

/** A field that is a string or a list of strings. */
export function textsOf(body: Fields, field: string): readonly string[] {
  const value = body[field];
  if (value === undefined) throw missingField(field);
  if (typeof value === 'string') return [value];
  const texts = Array.isArray(value) ? value.filter((item: unknown) => typeof item === 'string') : [];
  if (!Array.isArray(value) || value.length === 0 || texts.length !== value.length) {
    throw new InvalidRowBody(['body', field], 'Input should be a string or a list of strings', 'string_type');
  }
  return texts;
}

/** A positive integer option of the request, or the fallback. */
export function positiveOption(body: Fields, field: string, fallback: number): number {
  const value = body[field];
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : fallback;
}
