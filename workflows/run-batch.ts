import { CancellationScope } from '@temporalio/workflow';
import type { BatchSummary } from '../batch/manifest.js';
import type { RunBatchInput } from '../schemas/run-batch-input.js';
import { BatchRun } from './batch-run.js';

/**
 * Brings a batch to its end: prepare, check the account, run the shards, assemble. The batch id is the workflow
 * id. Ends as Completed with the summary; as Failed when nothing could be run; as Canceled, with the summary in
 * the memo, after a Temporal cancel request.
 */
export async function runBatch(input: RunBatchInput): Promise<BatchSummary> {
  const run = new BatchRun(input);
  // The run itself can't be cancelled away: the request becomes the same state as signal and update, and the
  // provider's jobs are cancelled and collected before the workflow closes.
  CancellationScope.current().cancelRequested.catch(() => {
    run.control.cancel({}, 'request');
  });
  return CancellationScope.nonCancellable(() => run.toEnd());
}
