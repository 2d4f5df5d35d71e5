import { isFields } from '../json.js';
import type { Fields } from '../json.js';
import type { Message } from './common.js';
import { sampleOf } from './json-sample.js';
import { chooseLabel, findChoice } from './labels.js';
import type { Random } from './random.js';
import { drawSentences, drawWords } from './words.js';

const EXCERPT_LENGTH = 60;

function excerptOf(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return line.length <= EXCERPT_LENGTH ? line : `${line.slice(0, EXCERPT_LENGTH).trimEnd()}…`;
}

function labelFor(instructions: string, question: string, random: Random): string | null {
  const choice = findChoice(instructions);
  return choice === null ? null : chooseLabel(choice, question, random);
}

/** Keys that a prompt writes as `"key":`, in its order. */
function keysIn(prompt: string): readonly string[] {
  const keys = [...prompt.matchAll(/"([A-Za-z_]\w{0,40})"\s*:/gu)].map((match) => match[1] ?? '');
  return [...new Set(keys)].slice(0, 20);
}

function jsonObject(instructions: string, question: string, random: Random): Fields {
  const label = labelFor(instructions, question, random);
  const confidence = Math.round((0.6 + random.float() * 0.39) * 100) / 100;
  const keys = keysIn(instructions);
  if (keys.length === 0) return { answer: label ?? excerptOf(question), confidence };
  let labelled = false;
  const entries = keys.map((key): [string, unknown] => {
    if (/confidence|score|probability/iu.test(key)) return [key, confidence];
    if (label !== null && !labelled) {
      labelled = true;
      return [key, label];
    }
    return [key, drawWords(random, 3)];
  });
  return Object.fromEntries(entries);
}

/**
 * What the assistant says: JSON where JSON was asked for, one of the labels where the prompt gives some, else a few
 * sentences that quote the question, so that a reader can see which row an answer belongs to.
 */
export function assistantText(messages: readonly Message[], responseFormat: unknown, random: Random): string {
  const question =
    messages.findLast((message) => message.role === 'user')?.text ?? messages.at(-1)?.text ?? '';
  const instructions = messages.map((message) => message.text).join('\n');
  const format = isFields(responseFormat) ? responseFormat : {};
  const jsonSchema = isFields(format['json_schema']) ? format['json_schema'] : {};
  const schema = jsonSchema['schema'] ?? jsonSchema['schema_definition'];
  if (format['type'] === 'json_schema' && isFields(schema))
    return JSON.stringify(sampleOf(schema, random, schema));
  if (format['type'] === 'json_object' || format['type'] === 'json_schema') {
    return JSON.stringify(jsonObject(instructions, question, random));
  }
  const label = labelFor(instructions, question, random);
  return label ?? `On "${excerptOf(question)}": ${drawSentences(random, 2 + random.int(3))}`;
}
