import { ActivityFailure, RetryState } from '@temporalio/common';
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';

export const INTERRUPTED = Symbol('interrupted');

/**
 * Runs activities until they are done or `stop` becomes true; then they are cancelled, each in its own way
 * (`ACTIVITY_OPTIONS`). An activity that ends well all the same still counts.
 *
 * The scope exists only around this call: a shard's own scope is never cancelled, because such a request is
 * lost when the shard continues as new.
 */
export async function untilStopped<T>(
  stop: () => boolean,
  run: () => Promise<T>,
): Promise<T | typeof INTERRUPTED> {
  const scope = new CancellationScope({ cancellable: true });
  let settled = false;
  const result = scope.run(run).finally(() => {
    settled = true;
  });
  // Both ways out are awaited below; without this a failure in the meantime would count as unhandled.
  result.catch(() => undefined);
  // replay: `condition` without a time-out adds nothing to the history.
  await condition(() => settled || stop());
  if (!settled) scope.cancel();
  try {
    return await result;
  } catch (error) {
    if (isCancellation(error) || (scope.consideredCancelled && isCutShort(error))) return INTERRUPTED;
    throw error;
  }
}

/** An attempt that failed while its cancel was on the way is not repeated: its failure is not the activity's last word. */
function isCutShort(error: unknown): boolean {
  return error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED;
}
