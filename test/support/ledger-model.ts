/*
 * The row ledger of design section 3.4, written from its tables and nothing else: what the activities do with files,
 * indexes and merges, in plain lists.
 */

/** What a round's job says of a row; `null` is nothing. */
export type Said = 'success' | '4xx' | '5xx' | 'error' | 'malformed' | null;

export type JobEnd =
  'SUCCESS' | 'TIMEOUT_EXCEEDED' | 'FAILED' | 'CANCELLED' | 'DEADLINE' | 'GONE' | 'DELETED';

export interface RoundScript {
  readonly end: JobEnd;
  /** By place in the round; places beyond it say nothing. */
  readonly said: readonly Said[];
  /** The round belongs to a new run, which may ask for more. */
  readonly newRun: 'no' | 'normal' | 'retry' | 'rebuy';
}

export interface ModelRow {
  readonly customId: string;
  error: string | null;
  round: number;
  again: boolean;
}

const SAID_ERROR = {
  success: null,
  '4xx': 'http_error',
  '5xx': 'http_error',
  error: 'provider_error',
  malformed: 'malformed',
} as const;
const AGAIN_IN_NEW_RUN = ['cancelled', 'job_failed', 'expired', 'missing'];

/** Error and whether another round of the same run takes the row, for a row of which nothing was said. */
function unsaid(end: JobEnd, anySaid: boolean): readonly [string, boolean] {
  if (end === 'SUCCESS') return ['missing', true];
  if (end === 'TIMEOUT_EXCEEDED') return ['expired', true];
  if (end === 'FAILED') return anySaid ? ['missing', true] : ['job_failed', false];
  if (end === 'CANCELLED') return ['cancelled', false];
  return end === 'DEADLINE' ? ['expired', false] : ['output_gone', false];
}

function takes(row: ModelRow, { newRun }: RoundScript): boolean {
  if (row.round === 0) return true;
  if (row.error === null) return false;
  if (row.error === 'output_gone') return newRun === 'rebuy';
  if (row.again || newRun === 'no') return row.again;
  return newRun === 'retry' || AGAIN_IN_NEW_RUN.includes(row.error);
}

/** Plays one round of a shard; returns its rows, none when there was nothing to do. */
export function playRound(
  shard: readonly ModelRow[],
  round: number,
  script: RoundScript,
): readonly ModelRow[] {
  const taken = shard.filter((row) => takes(row, script));
  const readable = script.end !== 'GONE' && script.end !== 'DELETED';
  const said = taken.map((_, place) => (readable ? (script.said[place] ?? null) : null));
  const anySaid = said.some((word) => word !== null);
  for (const [place, row] of taken.entries()) {
    const word = said[place] ?? null;
    const [error, again] =
      word === null
        ? unsaid(script.end, anySaid)
        : [SAID_ERROR[word], word === '5xx' || word === 'error' || word === 'malformed'];
    Object.assign(row, { error, again, round });
  }
  return taken;
}
