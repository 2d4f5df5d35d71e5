import type { RowErrorType } from '../batch/rows.js';

const MESSAGES: { readonly [T in RowErrorType]: string } = {
  invalid_row: 'the row breaks a rule and was never sent',
  http_error: 'the provider answered with an error status',
  provider_error: 'the provider reported an error',
  malformed: 'the provider’s answer does not read as one',
  missing: 'the job ended without an answer for this row',
  output_gone: 'the job’s output was gone before it could be collected; --rebuy-lost sends the row again',
  expired: 'the time for this row ran out before it was answered',
  cancelled: 'cancelled before this row was answered',
  job_failed: 'the job could not be run or failed as a whole',
};

/** What a row's error says when the provider said nothing. */
export function rowMessage(error: RowErrorType, jobId: string | null): string {
  return jobId === null ? MESSAGES[error] : `${MESSAGES[error]} (job ${jobId})`;
}
