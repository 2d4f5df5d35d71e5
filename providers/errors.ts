import type { FailureType } from '../batch/failure-types.js';

export type ProviderFailureType = Extract<FailureType, `Provider${string}` | 'IntegrityMismatch'>;

export interface ProviderErrorDetails {
  /** HTTP status of the answer, when there was one. */
  readonly status?: number;
  /** How long the provider asks to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /**
   * Whether the request can have taken effect at the provider.
   * `refused`: an answer says that it did not, or the connection was never made. `unknown`: it may have.
   * Only a `refused` create may be sent again without looking for its job first.
   */
  readonly effect: 'refused' | 'unknown';
  /** The first bytes of the provider's answer. It may echo input: it goes to the store, never to a log or a history. */
  readonly excerpt?: string;
  readonly cause?: unknown;
}

/**
 * What a provider's client throws. The message names the call and the status, never the answer's body
 * (error bodies echo rows) and never the API key.
 */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly type: ProviderFailureType;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly effect: 'refused' | 'unknown';
  /** No property of its own: whoever prints an error prints those. */
  readonly #excerpt: string | undefined;

  constructor(type: ProviderFailureType, message: string, details: ProviderErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.type = type;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.effect = details.effect;
    this.#excerpt = details.excerpt;
  }

  get excerpt(): string | undefined {
    return this.#excerpt;
  }
}
