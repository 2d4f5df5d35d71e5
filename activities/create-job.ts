import { JOB_METADATA } from '../batch/wire-names.js';
import { ProviderError } from '../providers/errors.js';
import type { BatchProvider, RemoteJob } from '../providers/provider.js';
import { currentAttempt } from './attempt.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import type { CreateJobInput, CreateJobResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { JobProtocol } from './job-protocol.js';
import { toSnapshot } from './job-snapshot.js';
import { requirePlan } from './records.js';

/**
 * Creates the job of a round: the one step that costs money and is not idempotent at the provider.
 *
 * *Idempotency*: looks for the round's job first, in the store and at the provider, and sends at most one POST; one
 * whose outcome is unknown is never repeated before its job would have been listed.
 * *Retries*: Temporal's alone, each from the first step on. A definite refusal is recorded and is final, unless it is a
 * rate limit.
 * *Cancellation*: heard before the POST, never during it: the POST ends by its own time-out, so that its outcome is known
 * or is looked for.
 */
export async function createJob(deps: ActivityDeps, input: CreateJobInput): Promise<CreateJobResult> {
  const attempt = currentAttempt();
  const plan = await requirePlan(deps.store, attempt.batchId);
  const provider = deps.provider(plan.provider);
  const protocol = new JobProtocol(deps, provider, attempt, input);

  const record = await protocol.recorded();
  if (record !== null) return { job: await protocol.load(record), duplicates: [] };
  const found = await protocol.settleOn(await protocol.listed());
  if (found !== null) return found;

  const decision = await protocol.decide(input.run);
  if (decision.kind === 'wait') throw protocol.ambiguousUntil(decision.at);
  if (decision.kind === 'closed') throw leftBehind();

  assertTimeLeft(attempt, protocol);
  attempt.signal.throwIfAborted();
  const intent = await protocol.writeIntent(decision.n);
  const job = await postOnce(deps, { provider, protocol, attempt, input, intent });

  const jobs = await listedAfter(protocol);
  const settled = await protocol.settleOn(jobs.some(({ id }) => id === job.id) ? jobs : [...jobs, job]);
  return settled ?? { job: toSnapshot(job), duplicates: [] };
}

/** A job that has an id is recorded, whatever becomes of the list: the shard looks for duplicates later too. */
async function listedAfter(protocol: JobProtocol): Promise<RemoteJob[]> {
  try {
    return await protocol.listed();
  } catch {
    return [];
  }
}

interface Post {
  readonly provider: BatchProvider;
  readonly protocol: JobProtocol;
  readonly attempt: Attempt;
  readonly input: CreateJobInput;
  readonly intent: { readonly n: number; readonly sendingAt: number };
}

async function postOnce(deps: ActivityDeps, post: Post): Promise<RemoteJob> {
  const { provider, protocol, attempt, input, intent } = post;
  const problem = tooLate(deps, post);
  if (problem !== null) {
    // Nothing was sent under this intent, so the next attempt need not wait for a job of it.
    const refusal = { type: 'ProviderUnavailable', message: problem, status: null, excerpt: null } as const;
    await protocol.writeRefusal(intent.n, refusal);
    throw new BatchError('ProviderUnavailable', problem);
  }
  const metadata = {
    ...input.metadata,
    [JOB_METADATA.key]: input.key,
    [JOB_METADATA.batch]: attempt.batchId,
    [JOB_METADATA.run]: input.run,
  };
  try {
    const { fileId, endpoint, model, jobTimeoutHours: timeoutHours } = input;
    // Without the cancellation signal, on purpose.
    return await provider.createJob(
      { fileId, endpoint, model, timeoutHours, metadata },
      { timeoutMs: protocol.timeoutMs },
    );
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.effect === 'unknown') throw protocol.ambiguousUntil(intent.sendingAt + deps.createSettleMs);
    const { type, message, status = null, excerpt = null } = error;
    await protocol.writeRefusal(intent.n, { type, message, status, excerpt });
    throw error;
  }
}

/** The process may have been stopped since the intent was written: a POST sent now could outlive its settle time. */
function tooLate(deps: ActivityDeps, { protocol, attempt, intent }: Post): string | null {
  const heldUpMs = deps.clock.now() - intent.sendingAt;
  if (heldUpMs > protocol.timeoutMs / 2) return 'the attempt was held up before its create could be sent';
  return attempt.timeLeftMs() < protocol.timeoutMs
    ? 'too little time is left in this attempt for a create'
    : null;
}

/** Nobody waits for this attempt any more: the shard has stopped, and has made sure of it. */
function leftBehind(): BatchError {
  return new BatchError('ProviderUnavailable', 'the shard creates no job any more; nothing was sent');
}

function assertTimeLeft(attempt: Attempt, protocol: JobProtocol): void {
  if (protocol.listAgeMs > protocol.timeoutMs / 2) {
    throw new BatchError('ProviderUnavailable', 'the attempt was held up before its create; looking again');
  }
  if (attempt.timeLeftMs() < protocol.timeoutMs) {
    throw new BatchError('ProviderUnavailable', 'too little time is left in this attempt for a create');
  }
}
