import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { doubtful, failureOfAnswer, unreadableAnswer } from '../../providers/mistral/errors.js';
import { ProviderError } from '../../providers/errors.js';
import { readErrorBody } from '../../schemas/mistral/error-body.js';

const CALL = { name: 'get job', creates: false };
const CREATE = { name: 'create job', creates: true };

function failure(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  call = CALL,
): ProviderError {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return failureOfAnswer({ status, headers, text }, call, 0);
}

const RATE_LIMITED = {
  object: 'error',
  message: 'Rate limit exceeded',
  type: 'rate_limited',
  param: null,
  code: '1300',
  raw_status_code: 429,
};

describe('the meaning of an answer', () => {
  it.each<[string, number, unknown, string]>([
    ['401 of today', 401, { detail: 'Unauthorized' }, 'ProviderAuth'],
    ['401 of an older gateway', 401, { message: 'Unauthorized', request_id: 'x' }, 'ProviderAuth'],
    ['402', 402, { detail: 'Batch billing is not enabled' }, 'ProviderQuota'],
    ['403', 403, { detail: 'Forbidden' }, 'ProviderForbidden'],
    ['404', 404, { detail: 'Not found' }, 'ProviderNotFound'],
    ['410', 410, {}, 'ProviderNotFound'],
    ['400 as HTML', 400, '<html><body>413 quota of pending requests</body></html>', 'ProviderRejected'],
    [
      '400 as JSON',
      400,
      { object: 'error', message: 'bad', type: 'invalid_request_error' },
      'ProviderRejected',
    ],
    [
      '422 with issues',
      422,
      { detail: [{ loc: ['body', 0], msg: 'too long', type: 'x' }] },
      'ProviderRejected',
    ],
    ['422 with an object as message', 422, { message: { detail: [{ msg: 'no' }] } }, 'ProviderRejected'],
    ['422 whose issues echo input', 422, { detail: [{ msg: 'no', input: 'my quota' }] }, 'ProviderRejected'],
    ['409', 409, {}, 'ProviderRejected'],
    ['413', 413, '', 'ProviderRejected'],
    ['429', 429, RATE_LIMITED, 'ProviderRateLimited'],
    ['429, older', 429, { message: 'Requests rate limit exceeded' }, 'ProviderRateLimited'],
    [
      '429 of capacity',
      429,
      { ...RATE_LIMITED, message: 'Service tier capacity exceeded', code: '3505' },
      'ProviderRateLimited',
    ],
    ['429 of the quota', 429, { message: 'Too many pending requests in this workspace' }, 'ProviderQuota'],
    ['422 of the quota', 422, { detail: 'Number of pending requests would exceed 1000000' }, 'ProviderQuota'],
    ['400 of the quota', 400, { detail: [{ msg: 'workspace quota exceeded' }] }, 'ProviderQuota'],
    ['429 whose type is the quota', 429, { message: 'No', type: 'insufficient_quota' }, 'ProviderQuota'],
    ['400 about a label', 400, { message: 'no such label: billing' }, 'ProviderRejected'],
    ['422 that quotes', 422, { detail: [{ msg: "not 'quota exceeded'" }] }, 'ProviderRejected'],
    ['408', 408, '', 'ProviderUnavailable'],
    ['425', 425, '', 'ProviderUnavailable'],
    ['500', 500, { message: 'quota service is down' }, 'ProviderUnavailable'],
    ['502 as HTML', 502, '<html>', 'ProviderUnavailable'],
    ['503', 503, '', 'ProviderUnavailable'],
    ['504', 504, '', 'ProviderUnavailable'],
    ['529', 529, '', 'ProviderUnavailable'],
    ['302', 302, '', 'ProviderContract'],
  ])('%s', (_name, status, body, type) => {
    expect(failure(status, body)).toMatchObject({ type, status });
  });

  it('takes a limit of zero for a quota, whatever the text', () => {
    const zero = { 'x-ratelimit-limit-req-minute': '0', 'x-ratelimit-remaining-req-minute': '0' };
    expect(failure(429, RATE_LIMITED, zero).type).toBe('ProviderQuota');
    const some = { 'x-ratelimit-limit-req-minute': '60', 'x-ratelimit-remaining-req-minute': '0' };
    expect(failure(429, RATE_LIMITED, some).type).toBe('ProviderRateLimited');
  });

  it('says the wait that the answer asks for', () => {
    expect(failure(429, RATE_LIMITED, { 'retry-after': '30' }).retryAfterMs).toBe(30_000);
    expect(failure(503, '', { 'retry-after': '30' }).retryAfterMs).toBe(30_000);
    expect(failure(429, RATE_LIMITED).retryAfterMs).toBeUndefined();
  });

  it('is a doubt for a create exactly when it may have happened', () => {
    for (let status = 300; status < 600; status++) {
      const error = failure(status, '', {}, CREATE);
      expect(error.type === 'ProviderAmbiguous').toBe(error.effect === 'unknown');
      expect(error.effect === 'unknown').toBe(status >= 500 || status === 408 || status === 303);
    }
  });

  it('shows no code that may be a row’s id or a key', () => {
    for (const planted of [
      'row_17',
      'alice_smith',
      'PLANTED',
      'abcDEF0123456789abcDEF0123456789',
      '1234567',
    ]) {
      const error = failure(422, { type: planted, code: planted });
      expect(error.message).toBe('get job: the provider answered 422');
    }
    const known = failure(422, { type: 'invalid_request_error', code: '3505' });
    expect(known.message).toBe('get job: the provider answered 422 (invalid_request_error, 3505)');
  });

  it('is printed without the provider’s words', () => {
    const error = failure(400, '<html>PLANTED</html>');
    expect(error.excerpt).toContain('PLANTED');
    expect(inspect(error, { depth: 10 })).not.toContain('PLANTED');
    expect(JSON.stringify(error)).not.toContain('PLANTED');
  });

  it("shows codes but never the provider's text", () => {
    const error = failure(429, { ...RATE_LIMITED, message: 'row PLANTED' });
    expect(error.message).toBe('get job: the provider answered 429 (rate_limited, 1300)');
    expect(error.excerpt).toContain('PLANTED');
    expect(failure(400, { type: 'x y', code: 'PLANTED text' }).message).not.toContain('PLANTED');
  });

  it('keeps at most 2 KB of the answer, in whole characters', () => {
    const { excerpt = '' } = failure(500, 'ü'.repeat(5_000));
    expect(Buffer.byteLength(excerpt)).toBe(2048);
    expect(failure(500, `x${'ü'.repeat(5_000)}`).excerpt).toMatch(/^xü+$/);
  });
});

describe("an answer that can't be read", () => {
  const answer = { status: 200, headers: {}, text: '<html>' };

  it('breaks the contract, and leaves a create in doubt', () => {
    expect(unreadableAnswer(answer, CALL, 'no')).toMatchObject({ type: 'ProviderContract', status: 200 });
    expect(unreadableAnswer(answer, CREATE, 'no')).toMatchObject({ type: 'ProviderAmbiguous', status: 200 });
  });

  it('keeps what is known when a failure below HTTP becomes a doubt', () => {
    const cause = new Error('reset');
    const error = new ProviderError('ProviderUnavailable', 'create job: reset', { effect: 'unknown', cause });
    expect(doubtful(CREATE, error)).toMatchObject({ type: 'ProviderAmbiguous', cause });
    expect(doubtful(CALL, error)).toBe(error);
    const refused = new ProviderError('ProviderUnavailable', 'create job: refused', { effect: 'refused' });
    expect(doubtful(CREATE, refused)).toBe(refused);
  });
});

describe('readErrorBody', () => {
  it.each<[unknown, string]>([
    [{ detail: 'a' }, 'a'],
    [{ detail: [{ msg: 'a' }, { msg: 'b' }] }, 'a; b'],
    [{ message: 'a' }, 'a'],
    [{ message: { detail: [{ msg: 'a' }] } }, 'a'],
    [{ message: { detail: 'a' } }, 'a'],
    [{ error: { message: 'a', code: 3 } }, 'a'],
    [{ message: 7 }, ''],
    [{}, ''],
    [[], ''],
    ['text', ''],
    [null, ''],
  ])('reads %j as %j', (body, message) => {
    expect(readErrorBody(JSON.stringify(body)).message).toBe(message);
  });

  it('never throws', () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    );
    fc.assert(fc.property(bodies, (body) => typeof readErrorBody(body).message === 'string'));
  });
});
