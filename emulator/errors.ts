/**
 * Every error body that the API is known to send. The official description declares none of them for the batch and file
 * routes, so each shape follows a sighting (see `docs` of the provider and public issue trackers); they differ on
 * purpose, because a client has to cope with all of them.
 */
export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Thrown by a route; the server sends its reply as it is. */
export class ApiError extends Error {
  readonly reply: ErrorReply;

  constructor(reply: ErrorReply) {
    super(`HTTP ${reply.status}: ${reply.body}`);
    this.reply = reply;
  }
}

export interface ValidationIssue {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
  readonly input?: unknown;
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): ErrorReply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** The shape that the documentation gives for "all errors". */
export function genericError(status: number, message: string, type: string, code: string): ErrorReply {
  return json(status, { object: 'error', message, type, param: null, code, raw_status_code: status });
}

export function unauthorized(): ErrorReply {
  return json(401, { detail: 'Unauthorized' });
}

export function notFound(message: string): ErrorReply {
  return genericError(404, message, 'not_found', '1404');
}

/** FastAPI's answer for a path that is no route. */
export function unknownRoute(): ErrorReply {
  return json(404, { detail: 'Not Found' });
}

/** HTTPValidationError. */
export function validationError(issues: readonly ValidationIssue[]): ErrorReply {
  return json(422, { detail: issues });
}

export function fileTooLarge(limitBytes: number): ErrorReply {
  return genericError(
    413,
    `File is larger than the limit of ${limitBytes} bytes.`,
    'invalid_request_file',
    '1413',
  );
}

export function pendingQuota(limit: number, pending: number, wanted: number): ErrorReply {
  const message =
    `Too many pending requests: this workspace may have ${limit} pending batch requests, ` +
    `has ${pending}, and this job would add ${wanted}.`;
  return genericError(429, message, 'quota_exceeded', '1301');
}

function paymentRequired(): ErrorReply {
  return genericError(402, 'Batch inference requires an active payment plan.', 'payment_required', '1402');
}

export function forbidden(): ErrorReply {
  return genericError(403, 'This API key may not use this resource.', 'forbidden', '1403');
}

/** The gateway's own page, seen for inline jobs that are too large: HTML, not JSON. */
function gatewayPage(status: number, title: string): ErrorReply {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
  };
}

type RateLimitKind = 'rate_limited' | 'capacity' | 'pending' | 'not_in_plan' | 'legacy';

/** Shapes that a fault may ask for by name, and the statuses that they come with; null is any. */
const VARIANT_STATUSES = {
  rate_limited: [429],
  capacity: [429],
  // How a full workspace is refused is not documented.
  pending: [400, 422, 429],
  not_in_plan: [429],
  legacy: [429],
  gateway: [401],
  nested: [422],
  html: null,
} as const satisfies Record<string, readonly number[] | null>;

export type ErrorVariant = keyof typeof VARIANT_STATUSES;

export const ERROR_VARIANTS = Object.keys(VARIANT_STATUSES).filter(
  (name): name is ErrorVariant => name in VARIANT_STATUSES,
);

export function fitsStatus(variant: ErrorVariant, status: number): boolean {
  const statuses: readonly number[] | null = VARIANT_STATUSES[variant];
  return statuses === null || statuses.includes(status);
}

/** The 429 variants. `not_in_plan` is the one with a limit of 0: permanent, whatever the code says. */
function rateLimited(kind: RateLimitKind): ErrorReply {
  switch (kind) {
    case 'rate_limited':
      return withHeaders(genericError(429, 'Rate limit exceeded', 'rate_limited', '1300'), {
        'x-ratelimit-limit-req-minute': '60',
        'x-ratelimit-remaining-req-minute': '0',
      });
    case 'capacity':
      return genericError(
        429,
        'Service tier capacity exceeded for this model.',
        'service_tier_capacity_exceeded',
        '3505',
      );
    case 'pending':
      return pendingQuota(1_000_000, 1_000_000, 1);
    case 'not_in_plan':
      return withHeaders(genericError(429, 'Rate limit exceeded', 'rate_limited', '1300'), {
        'x-ratelimit-limit-req-minute': '0',
        'x-ratelimit-remaining-req-minute': '0',
      });
    case 'legacy':
      return json(429, { message: 'Requests rate limit exceeded' });
  }
}

export function withHeaders(reply: ErrorReply, headers: Readonly<Record<string, string>>): ErrorReply {
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

const SERVER_ERROR_TEXT: Readonly<Record<number, string>> = {
  500: 'Internal server error',
  502: 'Bad Gateway',
  503: 'Service unavailable.',
  504: 'Gateway Timeout',
};

/** The body of a variant that a fault names. */
export function errorVariant(variant: ErrorVariant, status: number): ErrorReply {
  switch (variant) {
    case 'html':
      return gatewayPage(status, 'Error');
    case 'gateway':
      return json(401, { message: 'Unauthorized', request_id: '5f1c3b7a9d2e40868c0a' });
    case 'nested':
      return nestedValidationError();
    default:
      return { ...rateLimited(variant), status };
  }
}

/** A 422 whose `message` is an object, as the chat route once sent it; it quotes what it refuses. */
function nestedValidationError(): ErrorReply {
  const detail = [
    { loc: ['body', 'model'], msg: 'Input should be a valid string', type: 'string_type', input: null },
  ];
  return json(422, {
    object: 'error',
    message: { detail },
    type: 'invalid_request_error',
    param: null,
    code: null,
  });
}

/** The documented body for a status, when a fault asks for no particular variant. */
export function errorForStatus(status: number): ErrorReply {
  switch (status) {
    case 400:
      return gatewayPage(400, 'Bad Request');
    case 401:
      return unauthorized();
    case 402:
      return paymentRequired();
    case 403:
      return forbidden();
    case 404:
      return notFound('The requested resource was not found.');
    case 422:
      return validationError([{ loc: ['body'], msg: 'Value error, request refused', type: 'value_error' }]);
    case 429:
      return rateLimited('rate_limited');
    case 502:
    case 504:
      return gatewayPage(status, SERVER_ERROR_TEXT[status] ?? 'Error');
    default: {
      const message = SERVER_ERROR_TEXT[status] ?? `HTTP ${status}`;
      const type = status >= 500 ? 'internal_server_error' : 'invalid_request_error';
      return genericError(status, message, type, '1000');
    }
  }
}
