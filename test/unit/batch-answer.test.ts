import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRetryableStatus, judgeAnswer } from '../../batch/answer.js';
import type { AnswerFacts } from '../../batch/answer.js';

function answer(over: Partial<AnswerFacts>): AnswerFacts {
  return { statusCode: 200, hasBody: true, hasError: false, ...over };
}

describe('an answer', () => {
  it.each([100, 199, 300, 400, 401, 403, 404, 413, 422])(
    'with status %d is an error for good',
    (statusCode) => {
      expect(judgeAnswer(answer({ statusCode }))).toEqual({
        error: 'http_error',
        statusCode,
        retryable: false,
      });
    },
  );

  it.each([408, 409, 425, 429, 500, 502, 503, 504, 529])(
    'with status %d may be asked again',
    (statusCode) => {
      expect(judgeAnswer(answer({ statusCode }))).toEqual({
        error: 'http_error',
        statusCode,
        retryable: true,
      });
    },
  );

  it.each([
    ['an error and no status', { statusCode: null, hasError: true }, null],
    ['an error beside a body and status 200', { hasError: true }, 200],
    ['an error whose code is a word', { statusCode: null, hasError: true, errorCode: 'overloaded' }, null],
    [
      'an error whose code is longer than a status',
      { statusCode: null, hasError: true, errorCode: '4290' },
      null,
    ],
    ['an error whose code is no status', { statusCode: null, hasError: true, errorCode: '999' }, null],
    [
      'an error whose code says that all is well',
      { statusCode: null, hasError: true, errorCode: '200' },
      200,
    ],
  ] as const)('with %s is a provider error, asked again', (_, over, statusCode) => {
    expect(judgeAnswer(answer(over))).toEqual({ error: 'provider_error', statusCode, retryable: true });
  });

  it.each([
    ['429', true],
    ['500', true],
    ['422', false],
  ])('whose only status is the error code %s is judged by it', (errorCode, retryable) => {
    const facts = answer({ statusCode: null, hasBody: false, hasError: true, errorCode });
    expect(judgeAnswer(facts)).toEqual({ error: 'http_error', statusCode: Number(errorCode), retryable });
  });

  it('is judged by its status before the code of its error', () => {
    const facts = answer({ statusCode: 400, hasError: true, errorCode: '503' });
    expect(judgeAnswer(facts)).toEqual({ error: 'http_error', statusCode: 400, retryable: false });
  });

  it.each([
    ['no body', { hasBody: false }, 200],
    ['no status', { statusCode: null }, null],
    ['nothing at all', { statusCode: null, hasBody: false }, null],
  ] as const)('with %s is malformed, asked again', (_, over, statusCode) => {
    expect(judgeAnswer(answer(over))).toEqual({ error: 'malformed', statusCode, retryable: true });
  });

  it('is a success only with a status of 2xx, a body and no error', () => {
    fc.assert(
      fc.property(
        fc.record({
          statusCode: fc.option(fc.integer({ min: 190, max: 310 })),
          hasBody: fc.boolean(),
          hasError: fc.boolean(),
        }),
        (facts) => {
          const { statusCode, hasBody, hasError } = facts;
          const fine = statusCode !== null && statusCode >= 200 && statusCode <= 299 && hasBody && !hasError;
          return (judgeAnswer(facts).error === null) === fine;
        },
      ),
    );
  });
});

it('of the statuses, 408, 409, 425, 429 and 5xx are worth another try', () => {
  const statuses = Array.from({ length: 400 }, (_, index) => 100 + index);
  expect(statuses.filter(isRetryableStatus)).toEqual([408, 409, 425, 429]);
  fc.assert(fc.property(fc.integer({ min: 500, max: 599 }), isRetryableStatus));
});
