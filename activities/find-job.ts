import { currentAttempt } from './attempt.js';
import type { FindJobInput, FindJobResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { JobProtocol } from './job-protocol.js';
import { toSnapshot } from './job-snapshot.js';
import { requirePlan } from './records.js';

/**
 * The job of a round, by the store's record or by its key at the provider.
 *
 * *Idempotency*: reads; what it may write (the record, the end of a run's creates) is the same for every attempt that
 * sees the same jobs.
 * *Retries*: while an unanswered create could still turn into a listed job, fails as ProviderAmbiguous until then.
 * *Cancellation*: aborts its calls; nothing is left behind.
 */
export async function findJob(deps: ActivityDeps, input: FindJobInput): Promise<FindJobResult> {
  const attempt = currentAttempt();
  const plan = await requirePlan(deps.store, attempt.batchId);
  const provider = deps.provider(plan.provider);
  const protocol = new JobProtocol(deps, provider, attempt, input);
  const record = await protocol.recorded();
  if (record !== null && !input.relist) return { job: await protocol.load(record), duplicates: [] };
  const jobs = await protocol.listed();
  if (record !== null) {
    const kept = input.lost === undefined ? record : await protocol.replace(record, jobs, input.lost);
    const job = jobs.find(({ id }) => id === kept.jobId);
    return {
      job: job === undefined ? await protocol.load(kept) : toSnapshot(job),
      duplicates: jobs.filter(({ id }) => id !== kept.jobId).map(toSnapshot),
    };
  }
  const settled = await protocol.settleOn(jobs);
  if (settled !== null) return settled;
  const { closes } = input;
  const decision = await protocol.decide(closes);
  if (decision.kind === 'wait') throw protocol.ambiguousUntil(decision.at);
  if (decision.kind === 'send' && closes !== undefined) await protocol.writeIntent(decision.n, closes);
  return { job: null, duplicates: [] };
}
