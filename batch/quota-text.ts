/**
 * Whether a provider's words are about a quota. It matters: a quota is waited for, and other refusals end the shard.
 * Providers write it in prose, so it is told by phrases, never by a word alone: names and rows have those words too.
 */

/** Of longer texts the rest is an echo or a page. */
const READ_CHARACTERS = 10_000;

/**
 * Up to five words between two others of one sentence. What is a word and what separates two have no character in common:
 * else a line of underscores, as in a form, could be cut up in so many ways that the search would not end.
 */
const GAP = String.raw`(?:[\s_-]+[A-Za-z0-9’']+){0,5}?[\s_-]+`;
const SHORT = String.raw`(?:exceed(?:ed|s|ing)?|reached|exhausted|used[\s_-]up|depleted|insufficient)`;
const WAITING = String.raw`(?:pending|enqueued|queued)(?:[\s_-]+batch)?[\s_-]+(?:requests?|tokens?|jobs?|batches|rows)`;
const LIMIT = String.raw`(?:limit|maximum|exceed(?:ed|s|ing)?|too[\s_-]many)`;
const OFF = String.raw`(?:enabled|disabled|activated?|active|inactive|set[\s_-]up|suspended|required)`;

const PHRASES = [
  String.raw`\bquotas?${GAP}${SHORT}\b`,
  String.raw`\b(?:${SHORT}|out[\s_-]of|not[\s_-]enough|no)${GAP}quotas?\b`,
  String.raw`\b${WAITING}${GAP}${LIMIT}\b`,
  String.raw`\b${LIMIT}${GAP}${WAITING}\b`,
  String.raw`\b(?:pending[\s_-]requests?|enqueued[\s_-]tokens?)[\s_-]limit\b`,
  String.raw`\benqueued[\s_-]tokens?${GAP}${SHORT}\b`,
  String.raw`\btoken_limit_(?:exceeded|reached)\b`,
  String.raw`\bbilling${GAP}${OFF}\b`,
  String.raw`\bbilling[\s_-]+(?:hard[\s_-]+|soft[\s_-]+)?limit\b`,
  String.raw`\b(?:enable|activate|set[\s_-]up|requires?)${GAP}billing\b`,
  String.raw`\bspend(?:ing)?[\s_-]+(?:limit|cap)${GAP}${SHORT}\b`,
  String.raw`\binsufficient[\s_-]+(?:account[\s_-]+)?(?:funds?|credits?|balance|quota)\b`,
  // A message of this one word.
  String.raw`^\W*quota\W*$`,
];
const PHRASE = new RegExp(PHRASES.join('|'), 'i');

/**
 * From left to right, whichever begins first. An apostrophe within a word quotes nothing; what is not closed was cut
 * off, and goes on to the end.
 */
const QUOTED = new RegExp(
  [
    String.raw`"(?:[^"\\]|\\.)*(?:"|\\?$)`,
    String.raw`(?<![\p{L}\p{N}])'(?:[^'\\]|\\.|'(?=[\p{L}\p{N}]))*(?:'|\\?$)`,
    '`[^`]*(?:`|$)',
    '“[^”]*(?:”|$)',
    '«[^»]*(?:»|$)',
  ].join('|'),
  'gsu',
);

/** In the place of what is repeated: the words around it may be one phrase. */
const SOME_WORD = ' x ';

/** `sent`: what the request said, which its refusal may repeat without quotes. */
export function speaksOfQuota(message: string, sent: readonly string[] = []): boolean {
  // A validation error ends with the value that it refuses.
  const [words = ''] = message.slice(0, READ_CHARACTERS).split(/\binput(?:_value)?=/i, 1);
  return PHRASE.test(withoutEchoes(words, sent).replace(QUOTED, SOME_WORD));
}

/**
 * Whether a failed job failed for want of quota: by at least half of its errors, as counted by the provider. Errors that
 * echo rows are about the rows, and one row among many may say anything.
 */
export function failedForQuota(
  errors: readonly { readonly message: string; readonly count: number }[],
  sent: readonly string[] = [],
): boolean {
  let quota = 0;
  let others = 0;
  for (const { message, count } of errors) {
    const times = Math.max(1, count);
    if (speaksOfQuota(message, sent)) quota += times;
    else others += times;
  }
  return quota > 0 && quota >= others;
}

/** Plain words stay, for a provider's sentences are made of them; unless they are such a phrase themselves. */
function withoutEchoes(message: string, sent: readonly string[]): string {
  const echoes = sent.filter(
    (value) =>
      value.length > 3 && !/^\p{L}+$/u.test(value) && (/[^\p{L}\s]/u.test(value) || PHRASE.test(value)),
  );
  return echoes
    .toSorted((one, other) => other.length - one.length)
    .reduce((text, echo) => text.replaceAll(echo, SOME_WORD), message);
}
