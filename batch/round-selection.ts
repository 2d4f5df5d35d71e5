import type { RowErrorType } from './rows.js';

/** The last word on a row so far. */
export interface RowState {
  /** Null: the row succeeded. */
  readonly error: RowErrorType | null;
  readonly retryable: boolean;
  /** Round of that word. */
  readonly round: number;
}

export interface RoundMode {
  /** `retry`: every unsuccessful row of earlier runs is sent again. */
  readonly kind: 'normal' | 'retry';
  readonly rebuyLost: boolean;
  /** First round whose "final" binds this run: earlier runs' jobs, and jobs found already dead, come before it. */
  readonly finalFrom: number;
}

const RESUMABLE: ReadonlySet<RowErrorType> = new Set(['cancelled', 'job_failed', 'expired', 'missing']);

/**
 * Whether a row goes into the next round. Null: no round has said anything about it yet.
 * Rows that fail for good (4xx) are not bought twice unless asked for; answers that were given and lost
 * only with `--rebuy-lost`.
 */
export function takesRow(state: RowState | null, mode: RoundMode): boolean {
  if (state === null) return true;
  if (state.error === null) return false;
  if (state.error === 'output_gone') return mode.rebuyLost && state.round < mode.finalFrom;
  if (state.retryable) return true;
  if (state.round >= mode.finalFrom) return false;
  return mode.kind === 'retry' ? state.error !== 'invalid_row' : RESUMABLE.has(state.error);
}

/** Whether a new run of the same command would send the row, without being asked to retry. */
export function isUnfinished({ error, retryable }: Pick<RowState, 'error' | 'retryable'>): boolean {
  return error !== null && (retryable || RESUMABLE.has(error));
}
