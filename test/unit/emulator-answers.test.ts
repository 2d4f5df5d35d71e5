import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { answerBody, InvalidRowBody } from '../../emulator/answers/answer-body.js';
import { findChoice } from '../../emulator/answers/labels.js';
import { digestOf, randomFrom, shuffledIndexes } from '../../emulator/answers/random.js';
import type { Fields } from '../../emulator/json.js';

function answer(endpoint: string, body: Fields, seed: unknown = 1): Fields {
  return answerBody({ endpoint, model: 'm', body, random: randomFrom(digestOf(seed)) });
}

function chat(content: string, more: Fields = {}): Fields {
  return answer('/v1/chat/completions', { messages: [{ role: 'user', content }], ...more });
}

/** The single choice of a chat answer, by JSON so that its type is plain. */
function choiceOf(body: Fields): {
  message: { content: string; tool_calls: unknown };
  finish_reason: string;
} {
  return JSON.parse(JSON.stringify(body['choices']))[0];
}

describe('draws', () => {
  test('repeat with the seed and stay in their ranges', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 1e6 }), (seed, below) => {
        const [first, second] = [randomFrom(digestOf(seed)), randomFrom(digestOf(seed))];
        const drawn = first.int(below);
        expect(second.int(below)).toBe(drawn);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThan(below);
        expect(first.uuid()).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u,
        );
        expect(first.hex(11)).toMatch(/^[0-9a-f]{11}$/u);
      }),
    );
  });

  test('shuffle every index once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.string(), (length, seed) => {
        const order = shuffledIndexes(length, randomFrom(digestOf(seed)));
        expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, index) => index));
      }),
    );
  });

  test('are spread evenly', () => {
    const random = randomFrom(digestOf('spread'));
    const mean =
      Array.from({ length: 10_000 }, () => random.float()).reduce((sum, value) => sum + value) / 10_000;
    expect(mean).toBeGreaterThan(0.48);
    expect(mean).toBeLessThan(0.52);
  });
});

describe('labels', () => {
  test.each([
    ['Classify into one of: billing, bug, shipping, other.', ['billing', 'bug', 'shipping', 'other']],
    ['Answer with exactly one of the following categories: "a b", `c`, or d', ['a b', 'c', 'd']],
    ['Reply with one of billing, bug or shipping. Nothing else.', ['billing', 'bug', 'shipping']],
    [
      'Categories:\n- billing\n- account access\n* other\n\nAnswer with one.',
      ['billing', 'account access', 'other'],
    ],
    ['Labels: positive/negative/neutral', ['positive', 'negative', 'neutral']],
    ['Choose from [yes, no]', ['yes', 'no']],
    ['What is the best French cheese?', []],
    ['He gave one of his apples, two pears and a plum to Ann. How many are left?', []],
    ['This is one of the longest sentences that I have ever written to you', []],
  ])('are found in %j', (prompt, labels) => {
    expect(findChoice(prompt)?.labels ?? []).toEqual(labels);
  });

  test('decide a chat answer, by the words that speak for one', () => {
    const classify = (text: string, seed: number) =>
      choiceOf(
        answer(
          '/v1/chat/completions',
          {
            messages: [
              { role: 'system', content: 'Classify into one of: billing, bug, shipping.' },
              { role: 'user', content: text },
            ],
          },
          seed,
        ),
      ).message.content;
    for (let seed = 0; seed < 20; seed += 1) {
      expect(classify('My parcel has not arrived', seed)).toBe('shipping');
      expect(classify('The app crashes', seed)).toBe('bug');
      expect(['billing', 'bug', 'shipping']).toContain(classify('Hello', seed));
    }
  });
});

describe('a chat answer', () => {
  test('has a usage that adds up and quotes the question', () => {
    const body = chat('How many eggs are in a dozen?');
    const usage: Record<string, number> = JSON.parse(JSON.stringify(body['usage']));
    expect(usage['total_tokens']).toBe((usage['prompt_tokens'] ?? 0) + (usage['completion_tokens'] ?? 0));
    expect(choiceOf(body)).toMatchObject({
      finish_reason: 'stop',
      message: { content: expect.stringContaining('How many eggs are in a dozen?'), tool_calls: null },
    });
  });

  test('ends with length at max_tokens', () => {
    const body = chat('Tell me everything.', { max_tokens: 5 });
    expect(body).toMatchObject({ usage: { completion_tokens: 5 } });
    expect(choiceOf(body)).toMatchObject({ finish_reason: 'length' });
  });

  test('is JSON when asked for, with the keys and the label of the prompt', () => {
    expect(
      JSON.parse(choiceOf(chat('Hi', { response_format: { type: 'json_object' } })).message.content),
    ).toHaveProperty('answer');
    const prompt =
      'Sort into one of: bug, praise\nReply as {"category": "...", "confidence": 0.5}\nIt crashed';
    const content = choiceOf(chat(prompt, { response_format: { type: 'json_object' } })).message.content;
    expect(JSON.parse(content)).toEqual({ category: 'bug', confidence: expect.any(Number) });
  });

  test('fits a JSON schema that the request gives', () => {
    const schema = {
      type: 'object',
      properties: {
        label: { enum: ['x', 'y'] },
        score: { type: 'integer', minimum: 3, maximum: 5 },
        tags: { type: 'array', items: { $ref: '#/$defs/tag' } },
      },
      $defs: { tag: { type: 'string' } },
    };
    const format = { type: 'json_schema', json_schema: { name: 's', schema } };
    const parsed: Fields = JSON.parse(choiceOf(chat('Hi', { response_format: format })).message.content);
    expect(['x', 'y']).toContain(parsed['label']);
    expect([3, 4, 5]).toContain(parsed['score']);
    expect(parsed['tags']).toEqual([expect.any(String)]);
  });

  test('calls a tool that the request forces', () => {
    const tools = [
      {
        type: 'function',
        function: {
          name: 'look_up',
          parameters: { type: 'object', properties: { id: { type: 'integer' } } },
        },
      },
    ];
    const choice = choiceOf(chat('Hi', { tools, tool_choice: 'any' }));
    expect(choice).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'look_up' } }] },
    });
  });

  test('gives as many choices as asked for', () => {
    expect(chat('Hi', { n: 3 })['choices']).toHaveLength(3);
  });
});

test('embeddings have the dimensions of the model or of the request, unit length, and are equal for equal texts', () => {
  const embed = (body: Fields): { embedding: number[] }[] =>
    JSON.parse(JSON.stringify(answer('/v1/embeddings', body)['data']));
  const [first, second] = embed({ input: ['same', 'same'] });
  expect(first?.embedding).toHaveLength(1024);
  expect(second?.embedding).toEqual(first?.embedding);
  const length = Math.sqrt((first?.embedding ?? []).reduce((sum, value) => sum + value * value, 0));
  expect(length).toBeCloseTo(1, 3);
  expect(embed({ input: 'x', output_dimension: 256 })[0]?.embedding).toHaveLength(256);
  expect(embed({ input: 'x', model: 'codestral-embed' })[0]?.embedding).toHaveLength(1536);
});

test('OCR answers the pages asked for, and has usage_info but neither id nor usage', () => {
  const body = answer('/v1/ocr', {
    model: 'mistral-ocr-latest',
    document: { document_url: 'https://x' },
    pages: [2, 5],
  });
  expect(body).toMatchObject({
    model: 'mistral-ocr-2505-completion',
    pages: [{ index: 2 }, { index: 5 }],
    usage_info: { pages_processed: 2 },
  });
  expect(Object.keys(body)).not.toContain('id');
});

test('moderations and classifications answer each text or conversation', () => {
  const messages = [{ role: 'user', content: 'x' }];
  expect(answer('/v1/moderations', { input: ['a', 'b', 'c'] })['results']).toHaveLength(3);
  expect(answer('/v1/chat/moderations', { input: messages })['results']).toHaveLength(1);
  expect(answer('/v1/chat/moderations', { input: [messages, messages] })['results']).toHaveLength(2);
  expect(answer('/v1/chat/classifications', { input: [{ messages }, { messages }] })['results']).toHaveLength(
    2,
  );
  expect(answer('/v1/classifications', { input: 'a' })['results']).toEqual([
    { sentiment: { scores: expect.anything() }, topic: { scores: expect.anything() } },
  ]);
});

test.each([
  ['/v1/chat/completions', {}],
  ['/v1/chat/completions', { messages: [] }],
  ['/v1/chat/completions', { messages: [{ content: 'x' }] }],
  ['/v1/embeddings', {}],
  ['/v1/embeddings', { input: [1] }],
  ['/v1/fim/completions', {}],
  ['/v1/moderations', {}],
  ['/v1/chat/moderations', { input: [[]] }],
  ['/v1/ocr', {}],
  ['/v1/ocr', { document: 'x' }],
  ['/v1/classifications', { input: [] }],
  ['/v1/conversations', {}],
  ['/v1/audio/transcriptions', {}],
  ['/v1/nope', {}],
])('%s refuses %j as the real endpoint does', (endpoint, body) => {
  expect(() => answer(endpoint, body)).toThrow(InvalidRowBody);
});
