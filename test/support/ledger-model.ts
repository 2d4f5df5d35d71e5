/*
 * The row ledger of design section 3.4, written from its tables and nothing else: what the activities do with files,
 * indexes and merges, in plain lists.
 */

export type Word = 'success' | '4xx' | '5xx' | 'error' | 'malformed';

/** A line of a job's result files. `place`: of the row in its round; beyond the last row it is nobody's. */
export interface SaidLine {
  readonly file: 'output' | 'error';
  readonly place: number;
  /** `broken`: it can't be read, so it is nobody's either. */
  readonly word: Word | 'broken';
}

export type JobEnd =
  | 'SUCCESS'
  | 'TIMEOUT_EXCEEDED'
  | 'FAILED'
  | 'FAILED_FOR_QUOTA'
  | 'CANCELLED'
  | 'CANCELLED_AT_DEADLINE'
  | 'TIMEOUT_AT_DEADLINE'
  | 'OUTPUT_GONE'
  | 'ERRORS_GONE'
  | 'DELETED'
  /** The run did not wait for the job: its round stays open, and the next run finds it. */
  | 'LEFT';

export type RunKind = 'normal' | 'retry' | 'rebuy';

export interface RoundScript {
  /** The round is played by a new run. */
  readonly newRun: RunKind | null;
  readonly end: JobEnd;
  /** In the order in which they stand in each file. */
  readonly lines: readonly SaidLine[];
  /** An open round's job had ended by the time the new run found it. */
  readonly foundDead: boolean;
}

export interface ModelRow {
  readonly customId: string;
  error: string | null;
  round: number;
  again: boolean;
  /** Index in the script's lines of the one that counts; null: no line does. */
  line: number | null;
}

export interface ModelShard {
  readonly rows: readonly ModelRow[];
  /** Closed rounds. */
  rounds: number;
  /** Rows of the round that a run left. */
  left: readonly ModelRow[] | null;
  kind: RunKind;
  /** First round whose final words bind the run; null until it saw a job alive. */
  from: number | null;
}

const WORDS = {
  success: [null, false],
  '4xx': ['http_error', false],
  '5xx': ['http_error', true],
  error: ['provider_error', true],
  malformed: ['malformed', true],
} as const;
const AGAIN_IN_NEW_RUN = ['cancelled', 'job_failed', 'expired', 'missing'];

/** Error, and whether another round of the same run takes the row, for a row of which nothing was said. */
function unsaid(end: JobEnd, anySaid: boolean): readonly [string, boolean] {
  if (end === 'SUCCESS') return ['missing', true];
  if (end === 'TIMEOUT_EXCEEDED') return ['expired', true];
  if (end === 'TIMEOUT_AT_DEADLINE' || end === 'CANCELLED_AT_DEADLINE') return ['expired', false];
  if (end === 'CANCELLED') return ['cancelled', false];
  if (end === 'FAILED' || end === 'FAILED_FOR_QUOTA') {
    return anySaid ? ['missing', true] : ['job_failed', end === 'FAILED_FOR_QUOTA'];
  }
  return ['output_gone', false];
}

function takes(row: ModelRow, kind: RunKind, from: number): boolean {
  if (row.round === 0) return true;
  if (row.error === null) return false;
  if (row.error === 'output_gone') return kind === 'rebuy' && row.round < from;
  if (row.again || row.round >= from) return row.again;
  return kind === 'retry' || AGAIN_IN_NEW_RUN.includes(row.error);
}

/** Lines that reach us, output file first, each with its index in the script. */
export function readable({ end, lines }: RoundScript): readonly (readonly [SaidLine, number])[] {
  const arrived = (file: SaidLine['file']) =>
    lines.flatMap((line, index) => (line.file === file ? [[line, index] as const] : []));
  return [
    ...(end === 'OUTPUT_GONE' || end === 'DELETED' ? [] : arrived('output')),
    ...(end === 'ERRORS_GONE' || end === 'DELETED' ? [] : arrived('error')),
  ];
}

/** Plays one round of a shard; returns its rows, none when there was nothing to do. */
export function playRound(shard: ModelShard, script: RoundScript): readonly ModelRow[] {
  if (script.newRun !== null) Object.assign(shard, { kind: script.newRun, from: null });
  const round = shard.rounds + 1;
  const wasLeft = shard.left !== null;
  const taken = shard.left ?? shard.rows.filter((row) => takes(row, shard.kind, shard.from ?? round));
  if (taken.length === 0) return taken;
  if (!wasLeft || !script.foundDead) shard.from ??= round;
  shard.left = script.end === 'LEFT' ? taken : null;
  if (script.end === 'LEFT') return taken;
  shard.rounds = round;
  const ours = readable(script).filter(([{ word, place }]) => word !== 'broken' && place < taken.length);
  for (const [place, row] of taken.entries()) {
    const said = ours.filter(([line]) => line.place === place);
    const kept = said.find(([{ word }]) => word === 'success') ?? said[0];
    const word = kept?.[0].word ?? 'broken';
    const [error, again] = word === 'broken' ? unsaid(script.end, ours.length > 0) : WORDS[word];
    Object.assign(row, { error, again, round, line: kept?.[1] ?? null });
  }
  return taken;
}
