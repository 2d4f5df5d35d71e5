import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { failedForQuota, speaksOfQuota } from '../../batch/quota-text.js';

const QUOTA = [
  'You exceeded your current quota',
  'You exceeded your current quota, please check your plan and billing details.',
  "You've exceeded your organisation's quota",
  'Exceeded the quota of this workspace',
  'workspace quota exceeded',
  'The quota for pending requests has been used up.',
  'There is no quota left: no quota',
  'Out of quota',
  'quota',
  'insufficient_quota',
  'quota_exceeded',
  'Quota "batch-requests-per-day" exceeded',
  'Too many pending requests',
  'Too many pending batch requests in this workspace',
  'Too many pending requests: this workspace may have 1000000 pending batch requests, has 1000000, and this job would add 1.',
  'Number of pending requests would exceed 1000000',
  'This workspace has a limit of 1000000 pending requests',
  'the pending-request limit',
  'Enqueued token limit reached',
  'Enqueued token limit reached for gpt-4o in organization org-1. Limit: 90,000 enqueued tokens. Please try again later.',
  'The maximum number of enqueued tokens',
  'token_limit_exceeded',
  'Billing is not enabled',
  'Batch billing is not enabled',
  'Please enable batch billing first',
  'Billing hard limit',
  'Billing hard limit has been reached',
  'The spend limit of this workspace is reached',
  'Insufficient funds',
  'insufficient credits',
];

/** Refusals that name things, and failures that quote rows. */
const OTHERS = [
  '',
  'Invalid model',
  'the file is empty',
  'context length exceeded',
  'Rate limit exceeded',
  'Requests rate limit exceeded',
  'Service tier capacity exceeded for this model.',
  'Maximum context token limit exceeded',
  'Invalid model: ft:open-mistral-7b:acme:billing-classifier',
  'Unknown file quota-report.jsonl',
  'labels: billing must not be empty',
  'The quota service is down',
  'No such label: enqueued',
  "1 validation error for ChatCompletionRequest\nmessages\n  Input should be a valid list [type=list_type, input_value='my billing question', input_type=str]",
  "Input should be a valid string [type=string_type, input_value={'text': 'I exceeded my quota, an",
  'Unexpected role "quota exceeded"',
  "Unexpected role 'you've exceeded your quota'",
  'Unexpected text `billing is not enabled`',
  'Unexpected text “insufficient funds”',
  'Unexpected text "too many pending requests',
];

describe('the words of a provider', () => {
  it.each(QUOTA)('speak of a quota: %j', (message) => {
    expect(speaksOfQuota(message)).toBe(true);
    expect(speaksOfQuota(message.toUpperCase())).toBe(true);
    expect(speaksOfQuota(`Error 429: ${message.toLowerCase()}`)).toBe(message !== 'quota');
  });

  it.each(OTHERS)('do not: %j', (message) => {
    expect(speaksOfQuota(message)).toBe(false);
  });

  it('are not what they quote, whatever that says', () => {
    const quotes = fc.constantFrom<[string, string]>(
      ['"', '"'],
      ["'", "'"],
      ['`', '`'],
      ['“', '”'],
      ['«', '»'],
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...QUOTA),
        quotes,
        fc.constantFrom(...OTHERS),
        (quoted, [open, close], tail) => {
          expect(speaksOfQuota(`Invalid value ${open}${quoted}${close}: ${tail}`)).toBe(false);
          expect(speaksOfQuota(`Invalid value ${open}${quoted}`)).toBe(false);
          expect(speaksOfQuota(`1 validation error [input_value=${quoted}, input_type=str]`)).toBe(false);
        },
      ),
    );
  });

  it('are not what was sent, even if it is repeated as it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...QUOTA), fc.stringMatching(/^[a-z]{3,8}$/), (phrase, name) => {
        for (const sent of [phrase, `ft:${name}:${phrase.replaceAll(' ', '-')}`]) {
          expect(speaksOfQuota(`Invalid model: ${sent}`, [name, sent])).toBe(false);
        }
      }),
    );
    expect(speaksOfQuota('Model acme/quota exceeded the context length', ['acme/quota'])).toBe(false);
  });

  it('are heard beside what was sent, which may consist of the same words', () => {
    const sent = [
      'billing',
      'quota',
      'requests',
      'pending requests',
      'mistral-small-latest',
      '1000000',
      'a',
      '',
    ];
    for (const message of QUOTA) expect(speaksOfQuota(message, sent)).toBe(true);
    expect(speaksOfQuota('Model mistral-small-latest: quota exceeded', sent)).toBe(true);
  });

  // A pattern that can match in many ways does not come back within the time that a test has.
  const words = ['', 'quota ', 'limit', 'billing ', 'enqueued tokens', 'no '];
  const fillers = ["'", '"', '\\', '"\\', 'quota ', 'pending ', 'no ', ' ', '_', '- ', 'x_', "a'"];
  it.each(words.flatMap((word) => fillers.map((filler) => [word, filler])))(
    'are read to their end: %j and thousands of %j',
    (word, filler) => {
      expect(speaksOfQuota(word + filler.repeat(5_000))).toBeTypeOf('boolean');
      expect(speaksOfQuota(word + filler.repeat(5_000), [filler.repeat(5)])).toBeTypeOf('boolean');
    },
  );
});

describe('a failed job', () => {
  const errors = (...all: readonly [string, number][]) => all.map(([message, count]) => ({ message, count }));

  test.each<[string, ReturnType<typeof errors>, boolean]>([
    ['says nothing', [], false],
    ['has one error, of a quota', errors(['Too many pending requests', 1]), true],
    ['has another one beside it', errors(['something else', 1], ['Billing is not enabled', 1]), true],
    ['has errors of rows, one of which says so', errors(['bad row', 19], ['quota exceeded', 1]), false],
    ['has many errors of which most say so', errors(['quota exceeded', 3], ['a', 1], ['b', 1]), true],
    ['has an error that counts nothing', errors(['quota exceeded', 0]), true],
  ])('that %s', (_, given, expected) => {
    expect(failedForQuota(given)).toBe(expected);
  });

  it('does not speak of a quota when it repeats its model', () => {
    const model = 'ft:acme:quota-exceeded';
    expect(failedForQuota(errors([`no such model: ${model}`, 1]), [model])).toBe(false);
  });
});
