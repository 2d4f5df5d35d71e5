import { speaksOfQuota } from '../../batch/quota-text.js';
import { readErrorBody, type ErrorBody } from '../../schemas/mistral/error-body.js';
import { ProviderError, type ProviderFailureType } from '../errors.js';
import type { HttpAnswer } from '../http-answer.js';
import { parseRetryAfter } from '../retry-after.js';

/** The call that was answered. */
export interface CallFacts {
  readonly name: string;
  /** Creates something that must not be created twice: when in doubt its failure is ProviderAmbiguous. */
  readonly creates: boolean;
  /** What it said to the provider, whose refusal may repeat it. */
  readonly sent?: readonly string[];
}

const EXCERPT_BYTES = 2048;

type Effect = 'refused' | 'unknown';

interface Meaning {
  readonly type: ProviderFailureType;
  readonly effect: Effect;
}

const refused = (type: ProviderFailureType): Meaning => ({ type, effect: 'refused' });
const unknown = (type: ProviderFailureType): Meaning => ({ type, effect: 'unknown' });

/**
 * Mistral documents no error answers for batch and files: these meanings come from its error glossary and
 * from what users of the API report. Statuses that are not here are decided by their class.
 */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [400, refused('ProviderRejected')],
  [401, refused('ProviderAuth')],
  // Seen on create until batch billing is enabled.
  [402, refused('ProviderQuota')],
  [403, refused('ProviderForbidden')],
  [404, refused('ProviderNotFound')],
  // A proxy gave up waiting; what it had passed on by then is not known.
  [408, unknown('ProviderUnavailable')],
  [410, refused('ProviderNotFound')],
  [422, refused('ProviderRejected')],
  // Too early: by definition not processed.
  [425, refused('ProviderUnavailable')],
  [429, refused('ProviderRateLimited')],
  // "See other" follows a POST that was carried out; the other redirects say that nothing was.
  [303, unknown('ProviderContract')],
]);

function meaningOf(status: number): Meaning {
  const meaning = MEANINGS.get(status);
  if (meaning !== undefined) return meaning;
  if (status >= 500) return unknown('ProviderUnavailable');
  return status >= 400 ? refused('ProviderRejected') : refused('ProviderContract');
}

/** The error for an answer that is no success. */
export function failureOfAnswer(answer: HttpAnswer, call: CallFacts, now: number): ProviderError {
  const { status } = answer;
  const body = readErrorBody(answer.text);
  const meaning = meaningOf(status);
  const isQuota = MAY_BE_QUOTA.has(status) && (saysQuota(body, call) || hasZeroLimit(answer));
  const type = isQuota ? 'ProviderQuota' : meaning.type;
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], now);
  return withDoubt(call, type, `${call.name}: the provider answered ${status}${codes(body)}`, {
    status,
    effect: meaning.effect,
    excerpt: excerptOf(answer.text),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

/** The error for a success whose body can't be read: what it answered has happened. */
export function unreadableAnswer(answer: HttpAnswer, call: CallFacts, problem: string): ProviderError {
  const message = `${call.name}: the provider answered ${answer.status}, but ${problem}`;
  return withDoubt(call, 'ProviderContract', message, {
    status: answer.status,
    effect: 'unknown',
    excerpt: excerptOf(answer.text),
  });
}

/** A failure below HTTP, or a broken answer: for a call that creates, an unknown effect is a doubt. */
export function doubtful(call: CallFacts, error: ProviderError): ProviderError {
  if (!call.creates || error.effect === 'refused' || error.type === 'ProviderAmbiguous') return error;
  return withDoubt(call, error.type, error.message, {
    effect: error.effect,
    cause: error.cause,
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.excerpt === undefined ? {} : { excerpt: error.excerpt }),
  });
}

type Details = ConstructorParameters<typeof ProviderError>[2];

function withDoubt(
  call: CallFacts,
  type: ProviderFailureType,
  message: string,
  details: Details,
): ProviderError {
  if (!call.creates || details.effect === 'refused') return new ProviderError(type, message, details);
  return new ProviderError('ProviderAmbiguous', `${message}; it may have happened nevertheless`, details);
}

/** How a full workspace is refused is undocumented: these statuses are read for words about it. */
const MAY_BE_QUOTA = new Set([400, 422, 429]);

function saysQuota({ message, type, code }: ErrorBody, { sent }: CallFacts): boolean {
  return [message, type ?? '', code ?? ''].some((words) => speaksOfQuota(words, sent));
}

/** A rate limit of 0 is no rate: the model or the feature is not in the plan, and waiting won't help. */
function hasZeroLimit({ status, headers }: HttpAnswer): boolean {
  if (status !== 429) return false;
  return Object.entries(headers).some(
    ([name, value]) => name.startsWith('x-ratelimit-limit-req') && /^0+$/.test(value.trim()),
  );
}

/** The words that types of errors are made of, at Mistral and at the gateways before it. */
const TYPE_WORDS = new Set(
  (
    'api authentication bad billing capacity conflict denied error exceeded failed forbidden found input insufficient ' +
    'internal invalid limit limited method missing model not overloaded payment permission quota rate request required ' +
    'resource server service string timeout too large type unauthorized unavailable unprocessable validation value'
  ).split(' '),
);

function isCode(word: string): boolean {
  return /^\d{3,5}$/.test(word) || word.split('_').every((part) => TYPE_WORDS.has(part));
}

/** Codes are shown if they can be nothing else: a field of an answer may echo a row, an id or the key. */
function codes(body: { readonly type: string | null; readonly code: string | null }): string {
  const shown = [body.type, body.code].filter((word) => word !== null && isCode(word));
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

function excerptOf(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= EXCERPT_BYTES) return text;
  // Read as a stream that goes on, so that a character cut in two is left out.
  return new TextDecoder().decode(bytes.subarray(0, EXCERPT_BYTES), { stream: true });
}
