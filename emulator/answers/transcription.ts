import type { Fields } from '../json.js';
import type { AnswerInput } from './answer-body.js';
import { tokensOf, usageOf } from './common.js';
import { missingField } from './invalid-row-body.js';
import { drawSentences } from './words.js';

export function answerTranscription({ body, model, random }: AnswerInput): Fields {
  if (body['file_url'] === undefined && body['file_id'] === undefined && body['file'] === undefined) {
    throw missingField('file_url');
  }
  const seconds = 5 + random.int(600);
  const text = drawSentences(random, 3 + random.int(5));
  return {
    model,
    text,
    usage: { ...usageOf(4, tokensOf(text)), prompt_audio_seconds: seconds },
    language: typeof body['language'] === 'string' ? body['language'] : null,
    segments: [],
    finish_reason: null,
  };
}
