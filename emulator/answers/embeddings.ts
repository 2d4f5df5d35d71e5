import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { positiveOption, textsOf, tokensOf } from './common.js';
import { digestOf, randomFrom } from './random.js';
import type { Random } from './random.js';

const MOST_DIMENSIONS = 8192;

/** A unit vector in the given number of dimensions, to six decimals. */
function unitVector(dimensions: number, random: Random): number[] {
  const raw = Array.from({ length: dimensions }, () => random.float() * 2 - 1);
  const length = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0)) || 1;
  return raw.map((value) => Math.round((value / length) * 1e6) / 1e6);
}

export function answerEmbeddings({ body, model, random }: AnswerInput): Fields {
  const texts = textsOf(body, 'input');
  const usual = model.startsWith('codestral-embed') ? 1536 : 1024;
  const dimensions = Math.min(positiveOption(body, 'output_dimension', usual), MOST_DIMENSIONS);
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0);
  return {
    id: random.hex(32),
    object: 'list',
    model,
    usage: {
      prompt_tokens: tokens,
      completion_tokens: 0,
      total_tokens: tokens,
      prompt_audio_seconds: null,
      prompt_token_details: null,
      request_count: null,
    },
    // Equal texts have equal vectors, whatever row they are in, as a caller that caches or deduplicates expects.
    data: texts.map((text, index) => ({
      object: 'embedding',
      embedding: unitVector(dimensions, randomFrom(digestOf('embedding', model, text))),
      index,
    })),
  };
}
