import type { JobSnapshot } from '../batch/job-snapshot.js';
import { currentAttempt } from './attempt.js';
import type { JobInput } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { toSnapshot } from './job-snapshot.js';
import { requirePlan } from './records.js';

/**
 * Asks the provider to cancel a job. The job may still end otherwise.
 *
 * *Idempotency*: asking twice does nothing more; a job that has ended is returned as it is.
 * *Retries*: for fifteen minutes; then the shard asks again.
 * *Cancellation*: aborts the call, which may have taken effect.
 */
export async function cancelJob(deps: ActivityDeps, { jobId }: JobInput): Promise<JobSnapshot> {
  const { batchId, signal } = currentAttempt();
  const plan = await requirePlan(deps.store, batchId);
  return toSnapshot(await deps.provider(plan.provider).cancelJob(jobId, { signal }));
}
