import type { Fields } from '../json.js';
import type { Random } from '../answers/random.js';

/** The two fields of an output line that say how a row ended. */
export interface Envelope {
  readonly response: { readonly status_code: number; readonly body: unknown } | null;
  readonly error: Fields | string | null;
}

/**
 * The forms in which community clients have met a failed row: no official example exists. `empty` is a line that can be
 * read and says nothing.
 */
export type RowErrorForm = 'response' | 'object' | 'string' | 'empty';

const MESSAGES: Readonly<Record<number, string>> = {
  408: 'Request timeout',
  429: 'Rate limit exceeded',
  500: 'Internal server error',
  502: 'Bad Gateway',
  503: 'Service unavailable.',
  504: 'Gateway Timeout',
};

const RETRYABLE = [429, 500, 502, 503, 504, 408] as const;

function messageFor(status: number): string {
  return MESSAGES[status] ?? `Request failed with status ${status}`;
}

export function validationEnvelope(loc: readonly (string | number)[], msg: string, type: string): Envelope {
  return { response: { status_code: 422, body: { detail: [{ loc, msg, type }] } }, error: null };
}

/** A failed row with the given status, written in the given form. */
export function errorEnvelope(status: number, form: RowErrorForm): Envelope {
  const message = messageFor(status);
  switch (form) {
    case 'response': {
      const type = status === 429 ? 'rate_limited' : 'internal_server_error';
      const code = status === 429 ? '1300' : '1000';
      const body = { object: 'error', message, type, param: null, code, raw_status_code: status };
      return { response: { status_code: status, body }, error: null };
    }
    case 'object':
      return { response: null, error: { code: String(status), message } };
    case 'string':
      return { response: null, error: message };
    case 'empty':
      return { response: null, error: null };
  }
}

/** A failure that another attempt may get over, in one of the known forms. */
export function drawRetryableError(random: Random): Envelope {
  const status = random.pick(RETRYABLE);
  const form = random.float();
  if (form < 0.6) return errorEnvelope(status, 'response');
  if (form < 0.8) return errorEnvelope(status, 'object');
  // Some objects come without a code, and a bare string says nothing about the status at all.
  if (form < 0.9) return { response: null, error: { message: messageFor(status) } };
  return errorEnvelope(status, 'string');
}

/** A failure that no attempt gets over. */
export function drawPermanentError(random: Random): Envelope {
  return random.float() < 0.5
    ? validationEnvelope(['body'], 'Value error, prompt was refused', 'value_error')
    : {
        response: {
          status_code: 422,
          body: {
            object: 'error',
            message: 'Prompt contains invalid content',
            type: 'invalid_request_error',
            param: null,
            code: '1102',
          },
        },
        error: null,
      };
}
