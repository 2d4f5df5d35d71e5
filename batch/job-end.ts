import type { TerminalJobPhase } from './job-phase.js';
import type { RowErrorType } from './rows.js';

/** How a round's job ended; `deleted`: the provider does not know the job any more. */
export interface JobEnd {
  readonly phase: TerminalJobPhase | 'deleted';
  /** Rows of this round that the provider answered. */
  readonly answered: number;
  /** The job names a result file that can't be had any more. */
  readonly outputGone: boolean;
  /** The batch's deadline made us cancel the job. */
  readonly deadlinePassed: boolean;
  /** The job's own errors speak of a quota. */
  readonly quota: boolean;
}

export interface Unanswered {
  readonly error: RowErrorType;
  readonly retryable: boolean;
}

/**
 * What becomes of the rows that an ended job left without an answer (design section 3.4). An answer that
 * was given but is gone was paid for, so it is bought again only on request.
 */
export function unansweredRows(end: JobEnd): Unanswered {
  if (end.outputGone || end.phase === 'deleted') return { error: 'output_gone', retryable: false };
  switch (end.phase) {
    case 'succeeded':
      return { error: 'missing', retryable: true };
    case 'expired':
      return { error: 'expired', retryable: !end.deadlinePassed };
    case 'failed':
      if (end.answered > 0) return { error: 'missing', retryable: true };
      return { error: 'job_failed', retryable: end.quota };
    case 'cancelled':
      return { error: end.deadlinePassed ? 'expired' : 'cancelled', retryable: false };
  }
}
