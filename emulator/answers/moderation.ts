import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { messagesOf, textsOf } from './common.js';
import type { Random } from './random.js';

const CATEGORIES = [
  'sexual',
  'hate_and_discrimination',
  'violence_and_threats',
  'dangerous_and_criminal_content',
  'selfharm',
  'health',
  'financial',
  'law',
  'pii',
] as const;

const FLAG_ABOVE = 0.9;

function moderated(random: Random): Fields {
  const scores = CATEGORIES.map((category): [string, number] => {
    // Cubed, because most texts are harmless in most categories.
    const score = random.float() ** 3;
    return [category, Math.round(score * 1e6) / 1e6];
  });
  return {
    categories: Object.fromEntries(scores.map(([category, score]) => [category, score > FLAG_ABOVE])),
    category_scores: Object.fromEntries(scores),
  };
}

/** Number of inputs in `input`: texts, or conversations (one list of messages, or a list of such lists). */
export function countInputs(body: Fields): number {
  const input: unknown = body['input'];
  if (!Array.isArray(input)) return isFields(input) ? 1 : textsOf(body, 'input').length;
  const first: unknown = input[0];
  if (Array.isArray(first)) {
    input.forEach((messages: unknown) => messagesOf({ input: messages }, 'input'));
    return input.length;
  }
  if (!isFields(first)) return textsOf(body, 'input').length;
  if (first['messages'] !== undefined) return input.length;
  messagesOf(body, 'input');
  return 1;
}

export function answerModeration({ body, model, random }: AnswerInput): Fields {
  const inputs = countInputs(body);
  return { id: random.hex(32), model, results: Array.from({ length: inputs }, () => moderated(random)) };
}
