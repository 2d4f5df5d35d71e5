import { currentAttempt } from './attempt.js';
import type { ActivityDeps } from './deps.js';
import { requirePlan } from './records.js';

/**
 * One list call, so that a wrong key ends the batch before anything is sent.
 *
 * *Idempotency*: reads.
 * *Retries*: while the provider can't be reached; 401 and 403 are final.
 * *Cancellation*: aborts the call.
 */
export async function checkAccount(deps: ActivityDeps): Promise<Record<string, never>> {
  const { batchId, signal } = currentAttempt();
  const plan = await requirePlan(deps.store, batchId);
  await deps.provider(plan.provider).checkAccount({ signal });
  return {};
}
