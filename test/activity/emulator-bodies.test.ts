import * as components from '@mistralai/mistralai/models/components';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { EmulatorClient, lines, wire } from './emulator-support.js';
import type { Wire } from './emulator-support.js';

/** Each endpoint's answer is read by the official SDK's own schema for that endpoint. */

let client: EmulatorClient;

beforeAll(async () => {
  client = await EmulatorClient.start();
});

afterAll(async () => {
  await client.close();
});

const MESSAGES = [{ role: 'user', content: 'Hello?' }];

type Read = (json: string) => { readonly ok: boolean; readonly error?: unknown };

const ENDPOINTS: readonly (readonly [string, Wire, Read])[] = [
  ['/v1/chat/completions', { messages: MESSAGES }, components.chatCompletionResponseFromJSON],
  ['/v1/embeddings', { input: ['a', 'b'] }, components.embeddingResponseFromJSON],
  [
    '/v1/fim/completions',
    { prompt: 'def f():', suffix: 'return 1' },
    components.fimCompletionResponseFromJSON,
  ],
  ['/v1/moderations', { input: 'text' }, components.moderationResponseFromJSON],
  ['/v1/chat/moderations', { input: [MESSAGES, MESSAGES] }, components.moderationResponseFromJSON],
  [
    '/v1/ocr',
    { document: { type: 'image_url', image_url: 'data:image/png;base64,AAAA' } },
    components.ocrResponseFromJSON,
  ],
  ['/v1/classifications', { input: 'text' }, components.classificationResponseFromJSON],
  ['/v1/chat/classifications', { input: { messages: MESSAGES } }, components.classificationResponseFromJSON],
  ['/v1/conversations', { inputs: 'Hello?' }, components.conversationResponseFromJSON],
  [
    '/v1/audio/transcriptions',
    { file_url: 'https://example.com/a.mp3' },
    components.transcriptionResponseFromJSON,
  ],
];

test.each(ENDPOINTS)('%s answers in the official shape', async (endpoint, body, read) => {
  const { job, output } = await client.run([{ custom_id: 'a', body }], { endpoint });
  expect(job).toMatchObject({ status: 'SUCCESS', endpoint, succeeded_requests: 1 });
  const [line] = lines(output);
  const answered = JSON.stringify(wire(line?.['response'])['body']);
  expect(read(answered)).toMatchObject({ ok: true });
});
