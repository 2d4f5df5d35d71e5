import type { RemoteJob } from '../providers/provider.js';
import { asUnavailable } from './as-unavailable.js';
import { currentAttempt } from './attempt.js';
import type { FindJobInput, FindJobResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { JobProtocol } from './job-protocol.js';
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
  const { closes, lost } = input;
  const jobs = await listed(protocol, input);
  if (record !== null) {
    return protocol.choose(lost === undefined ? record : await protocol.replace(record, jobs, lost), jobs);
  }
  const settled = await protocol.settleOn(jobs);
  if (settled !== null) return settled;
  const decision = await protocol.decide(closes);
  if (decision.kind === 'wait') throw protocol.ambiguousUntil(decision.at);
  if (decision.kind === 'send' && closes !== undefined) await protocol.writeIntent(decision.n, { closes });
  return { job: null, duplicates: [] };
}

/** A run that gives the round up without a list, for want of a key say, closes it as well: nothing is under way, and nothing may be. */
async function listed(
  protocol: JobProtocol,
  { closes, lost }: Pick<FindJobInput, 'closes' | 'lost'>,
): Promise<readonly RemoteJob[]> {
  try {
    return await protocol.listed();
  } catch (error) {
    if (closes !== undefined && (await protocol.recorded()) === null) {
      const decision = await protocol.decide(closes);
      if (decision.kind === 'send') await protocol.writeIntent(decision.n, { closes, unlisted: true });
    }
    // What others have left in the place of a lost job is looked for until a list can be read.
    throw lost === undefined ? error : asUnavailable(error);
  }
}
