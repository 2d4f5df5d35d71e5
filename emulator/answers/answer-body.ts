import type { Fields } from '../json.js';
import { answerChat } from './chat.js';
import { answerClassification } from './classification.js';
import { answerConversation } from './conversation.js';
import { answerEmbeddings } from './embeddings.js';
import { answerFim } from './fim.js';
import { InvalidRowBody } from './invalid-row-body.js';
import { answerModeration } from './moderation.js';
import { answerOcr } from './ocr.js';
import type { Random } from './random.js';
import { answerTranscription } from './transcription.js';

export { InvalidRowBody };

export interface AnswerInput {
  readonly body: Fields;
  readonly model: string;
  readonly random: Random;
}

type Answerer = (input: AnswerInput) => Fields;

/** The ten endpoints that a batch job can be created for. */
export const BATCH_ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/fim/completions',
  '/v1/moderations',
  '/v1/chat/moderations',
  '/v1/ocr',
  '/v1/classifications',
  '/v1/chat/classifications',
  '/v1/conversations',
  '/v1/audio/transcriptions',
] as const;

export type BatchEndpoint = (typeof BATCH_ENDPOINTS)[number];

export function isBatchEndpoint(value: unknown): value is BatchEndpoint {
  return BATCH_ENDPOINTS.some((endpoint) => endpoint === value);
}

const ANSWERERS: Readonly<Record<BatchEndpoint, { readonly answer: Answerer; readonly model: string }>> = {
  '/v1/chat/completions': { answer: answerChat, model: 'mistral-small-latest' },
  '/v1/embeddings': { answer: answerEmbeddings, model: 'mistral-embed' },
  '/v1/fim/completions': { answer: answerFim, model: 'codestral-latest' },
  '/v1/moderations': { answer: answerModeration, model: 'mistral-moderation-latest' },
  '/v1/chat/moderations': { answer: answerModeration, model: 'mistral-moderation-latest' },
  '/v1/ocr': { answer: answerOcr, model: 'mistral-ocr-latest' },
  '/v1/classifications': { answer: answerClassification, model: 'mistral-classifier' },
  '/v1/chat/classifications': { answer: answerClassification, model: 'mistral-classifier' },
  '/v1/conversations': { answer: answerConversation, model: 'mistral-medium-latest' },
  '/v1/audio/transcriptions': { answer: answerTranscription, model: 'voxtral-mini-latest' },
};

/**
 * A plausible response body of the endpoint. Throws InvalidRowBody if the request body lacks what the endpoint needs:
 * in the real API that is the row's own 422, found only when the job runs.
 */
export function answerBody(request: {
  readonly endpoint: string;
  readonly model: string | null;
  readonly body: Fields;
  readonly random: Random;
}): Fields {
  if (!isBatchEndpoint(request.endpoint)) {
    throw new InvalidRowBody(['endpoint'], `No such endpoint: ${request.endpoint}`, 'value_error');
  }
  const { answer, model } = ANSWERERS[request.endpoint];
  const named = request.body['model'];
  return answer({
    body: request.body,
    model: typeof named === 'string' ? named : (request.model ?? model),
    random: request.random,
  });
}
