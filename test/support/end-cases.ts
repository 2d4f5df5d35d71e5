import type { FailureType } from '../../batch/failure-types.js';
import type { Outcome } from '../../batch/outcome.js';
import type { RowErrorType } from '../../batch/rows.js';

/** Every way a job can end: how it is brought about, and what a user gets. The table in docs/guarantees.md is made of it. */
export interface EndCase {
  /** How the job ended, in the words of the table. */
  readonly end: string;
  /** Faults of the batch's first job. */
  readonly job?: readonly object[];
  /** Faults of requests about the batch's jobs, for as long as its first run lasts. */
  readonly requests?: readonly { readonly route: string; readonly fault: object }[];
  /** Options of the first two commands. */
  readonly args?: readonly string[];
  /** What somebody does while the first command runs. */
  readonly meanwhile?: Interference;
  /** What the first command brings, the same command again, then a retry, then a rebuy of what is lost. */
  readonly run: Stage;
  readonly again: Stage;
  readonly retry: Stage;
  readonly rebuyLost: Stage;
}

export type Interference = 'cancel' | 'delete the job' | 'delete the input file' | 'delete the error file';

export interface Stage {
  readonly outcome: Outcome;
  /** Rows that did not succeed, by the type of their error. */
  readonly errors: Partial<Readonly<Record<RowErrorType, number>>>;
  /** Jobs that were bought in it. */
  readonly bought: number;
  readonly failure: FailureType | null;
}

export const ROWS = 20;

const DONE: Stage = { outcome: 'succeeded', errors: {}, bought: 0, failure: null };
const BOUGHT: Stage = { ...DONE, bought: 1 };

function stage(outcome: Outcome, errors: Stage['errors'], more: Partial<Stage> = {}): Stage {
  return { outcome, errors, bought: 1, failure: null, ...more };
}

/** A batch that is finished: the same command returns it, and `--retry` buys its rows. */
function finished(run: Stage): Pick<EndCase, 'run' | 'again' | 'retry' | 'rebuyLost'> {
  return { run, again: { ...run, bought: 0 }, retry: BOUGHT, rebuyLost: DONE };
}

/** A batch that is not finished: the same command goes on with it. */
function unfinished(run: Stage): Pick<EndCase, 'run' | 'again' | 'retry' | 'rebuyLost'> {
  return { run, again: BOUGHT, retry: DONE, rebuyLost: DONE };
}

/** Answers that were paid for and are gone: only `--rebuy-lost` buys them again. */
function lost(errors: number): Pick<EndCase, 'run' | 'again' | 'retry' | 'rebuyLost'> {
  const run = stage('partial', { output_gone: errors });
  const kept = { ...run, bought: 0 };
  return { run, again: kept, retry: kept, rebuyLost: BOUGHT };
}

/** Rows that may be sent again keep the error of their last round; with one round it shows. */
const ONE_ROUND = ['--max-rounds', '1'];
/** Long enough for a busy machine to have created the job by then. */
const DEADLINE = '15s';
const LONG = { type: 'jobSeconds', seconds: 3600 };

export const END_CASES: readonly EndCase[] = [
  { end: 'SUCCESS, every row answered', run: BOUGHT, again: DONE, retry: DONE, rebuyLost: DONE },
  {
    end: 'SUCCESS with failures inside',
    job: [
      { type: 'rowErrors', count: 2, status: 422 },
      { type: 'rowErrors', customIds: ['question-5', 'question-6'], status: 503 },
    ],
    // The rows that failed for a passing reason went into a second round.
    ...finished(stage('partial', { http_error: 2 }, { bought: 2 })),
  },
  {
    end: 'SUCCESS, every row failed: there is no output file',
    job: [{ type: 'rowErrors', share: 1, status: 400 }],
    ...finished(stage('partial', { http_error: ROWS })),
  },
  {
    end: 'SUCCESS, some rows are in no file',
    job: [{ type: 'missingRows', count: 3 }],
    args: ONE_ROUND,
    ...finished(stage('partial', { missing: 3 })),
  },
  {
    end: 'SUCCESS without any file',
    job: [{ type: 'missingRows', share: 1 }],
    args: ONE_ROUND,
    ...finished(stage('partial', { missing: ROWS })),
  },
  {
    end: 'FAILED with `errors[]`, nothing answered',
    job: [{ type: 'jobOutcome', status: 'FAILED', errors: [{ message: 'The model is gone', count: ROWS }] }],
    ...unfinished(stage('failed', { job_failed: ROWS }, { failure: 'JobFailed' })),
  },
  {
    end: 'FAILED, some rows answered',
    job: [{ type: 'jobOutcome', status: 'FAILED', share: 0.5 }],
    args: ONE_ROUND,
    ...finished(stage('partial', { missing: ROWS / 2 })),
  },
  {
    end: 'TIMEOUT_EXCEEDED with partial output',
    job: [{ type: 'jobOutcome', status: 'TIMEOUT_EXCEEDED', share: 0.5 }],
    args: ONE_ROUND,
    ...finished(stage('partial', { expired: ROWS / 2 })),
  },
  {
    end: 'TIMEOUT_EXCEEDED without output',
    job: [{ type: 'jobOutcome', status: 'TIMEOUT_EXCEEDED' }],
    args: ONE_ROUND,
    ...finished(stage('partial', { expired: ROWS })),
  },
  {
    end: 'CANCELLED by somebody else',
    job: [{ type: 'jobOutcome', status: 'CANCELLED', share: 0.2 }],
    ...finished(stage('partial', { cancelled: 0.8 * ROWS })),
  },
  {
    end: 'CANCELLED by `longhaul cancel`',
    job: [{ type: 'stuckQueued' }],
    meanwhile: 'cancel',
    ...unfinished(stage('cancelled', { cancelled: ROWS })),
  },
  {
    end: 'CANCELLATION_REQUESTED for ever after `longhaul cancel`',
    job: [LONG],
    requests: ['getJob', 'listJobs', 'cancelJob'].map((route) => ({
      route,
      fault: { type: 'unknownStatus', status: 'CANCELLATION_REQUESTED' },
    })),
    meanwhile: 'cancel',
    ...unfinished(stage('cancelled', { cancelled: ROWS })),
  },
  {
    end: 'SUCCESS although `longhaul cancel` was accepted',
    job: [LONG, { type: 'cancelRace' }],
    meanwhile: 'cancel',
    run: BOUGHT,
    again: DONE,
    retry: DONE,
    rebuyLost: DONE,
  },
  {
    end: 'QUEUED until the deadline, then CANCELLED by it',
    job: [{ type: 'stuckQueued' }],
    args: ['--deadline', DEADLINE],
    ...finished(stage('partial', { expired: ROWS }, { failure: 'DeadlineExceeded' })),
  },
  {
    end: 'a status that nobody knows, until the deadline and after it',
    job: [LONG],
    requests: ['getJob', 'listJobs', 'cancelJob'].map((route) => ({
      route,
      fault: { type: 'unknownStatus', status: 'PAUSED' },
    })),
    args: ['--deadline', DEADLINE],
    ...finished(stage('partial', { expired: ROWS }, { failure: 'DeadlineExceeded' })),
  },
  {
    end: 'SUCCESS with counters that are not true',
    requests: [{ route: 'getJob', fault: { type: 'wrongCounters' } }],
    run: BOUGHT,
    again: DONE,
    retry: DONE,
    rebuyLost: DONE,
  },
  {
    end: 'SUCCESS, its files gone after their 24 hours',
    job: [{ type: 'resultRetention', seconds: 0 }],
    ...lost(ROWS),
  },
  {
    end: 'SUCCESS, one of its two files deleted by somebody',
    job: [{ type: 'rowErrors', count: 4, status: 422 }],
    requests: [{ route: 'getFile', fault: { type: 'hold' } }],
    meanwhile: 'delete the error file',
    ...lost(4),
  },
  {
    end: 'the job deleted by somebody: 404 for good',
    job: [LONG],
    meanwhile: 'delete the job',
    ...lost(ROWS),
  },
  {
    end: 'FAILED, its input file deleted before it began',
    job: [{ type: 'jobSeconds', seconds: 9, queued: 6 }],
    meanwhile: 'delete the input file',
    ...unfinished(stage('failed', { job_failed: ROWS }, { failure: 'JobFailed' })),
  },
];
