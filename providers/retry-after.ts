/** Longest wait that a header may ask of us: more is a mistake, or a quota in disguise. */
const MAX_WAIT_MS = 3_600_000;

/** The three date forms of RFC 9110 begin with the day's name; `Date.parse` alone would take "5 apples". */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * `Retry-After` in milliseconds, from seconds or an HTTP date, clamped to [0, 1 h]; null when there is none
 * that makes sense. Mistral sends seconds if it sends the header at all; gateways send both.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  const text = value?.trim() ?? '';
  if (/^\d+(?:\.\d+)?$/.test(text)) return clamp(Number(text) * 1000);
  if (!HTTP_DATE.test(text)) return null;
  // asctime carries no zone, and means GMT like the others.
  const date = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(date) ? null : clamp(date - now);
}

function clamp(milliseconds: number): number {
  return Math.min(MAX_WAIT_MS, Math.max(0, Math.ceil(milliseconds)));
}
