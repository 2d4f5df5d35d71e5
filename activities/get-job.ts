import type { JobSnapshot } from '../batch/job-snapshot.js';
import { currentAttempt } from './attempt.js';
import type { JobInput } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { toSnapshot } from './job-snapshot.js';
import { requirePlan } from './records.js';

/**
 * The state of a job.
 *
 * *Idempotency*: reads.
 * *Retries*: for ten minutes; then the shard counts it as no news and polls again.
 * *Cancellation*: aborts the call.
 */
export async function getJob(deps: ActivityDeps, { jobId }: JobInput): Promise<JobSnapshot> {
  const { batchId, signal } = currentAttempt();
  const plan = await requirePlan(deps.store, batchId);
  return toSnapshot(await deps.provider(plan.provider).getJob(jobId, { signal }));
}
