import type { RowErrorType } from './rows.js';

/** What the provider said about a row, stripped of its content. */
export interface AnswerFacts {
  readonly statusCode: number | null;
  readonly hasBody: boolean;
  readonly hasError: boolean;
  /** The error's own code, when it has one. */
  readonly errorCode?: string | undefined;
}

export interface Verdict {
  readonly error: RowErrorType | null;
  /** HTTP status to show beside the error. */
  readonly statusCode: number | null;
  /** Whether the row goes into the next round of the same run. */
  readonly retryable: boolean;
}

const SUCCESS: Verdict = { error: null, statusCode: null, retryable: false };

/**
 * Judges one answer. Providers report a failed row in three ways (reference section 3): a status >= 400
 * without an error, an error object, an error as a bare string; all of them in either file.
 */
export function judgeAnswer(facts: AnswerFacts): Verdict {
  const status = facts.statusCode ?? statusInCode(facts.errorCode);
  if (status !== null && (status < 200 || status > 299)) {
    return { error: 'http_error', statusCode: status, retryable: isRetryableStatus(status) };
  }
  if (facts.hasError) return { error: 'provider_error', statusCode: status, retryable: true };
  if (status === null || !facts.hasBody) return { error: 'malformed', statusCode: status, retryable: true };
  return SUCCESS;
}

export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

function statusInCode(code: string | undefined): number | null {
  return code !== undefined && /^[1-5]\d\d$/.test(code) ? Number(code) : null;
}
