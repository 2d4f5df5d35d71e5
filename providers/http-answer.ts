import type { Dispatcher } from 'undici';

/** An answer read whole. Names of headers are in lower case. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** In a coding other than the one that was asked for. */
export function isCompressed(answered: Dispatcher.ResponseData): boolean {
  return (flatHeaders(answered)['content-encoding'] ?? 'identity') !== 'identity';
}

/** Content-Length; null when there is none or it is no number. */
export function lengthOf(answered: Dispatcher.ResponseData): number | null {
  const value = flatHeaders(answered)['content-length'];
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

export function flatHeaders(answered: Dispatcher.ResponseData): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answered.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
