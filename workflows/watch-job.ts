import { condition } from '@temporalio/workflow';
import { isStoreLost } from '../batch/failure-types.js';
import type { Failure } from '../batch/failure-types.js';
import { isTerminal } from '../batch/job-phase.js';
import { isSeenAlive } from '../batch/job-snapshot.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import { pollIntervalMs } from '../batch/poll-interval.js';
import type { BatchSettings } from '../batch/settings.js';
import type { ActiveRound } from '../batch/shard-state.js';
import { knownFailure } from './activity-failure.js';
import type { Control } from './control.js';
import { INTERRUPTED, untilStopped } from './interruptible.js';
import { activities } from './proxies.js';
import type { ShardWaits } from './shard-waits.js';

export interface WatchContext {
  readonly shard: number;
  readonly round: number;
  readonly settings: BatchSettings;
  readonly control: Control;
  readonly waits: ShardWaits;
  /** Called between polls; does not return when the shard continues as new. */
  readonly continueAsNew: () => Promise<void>;
}

/**
 * `left`: the job was not awaited any longer, after a cancel. A failure: the store is not ours any more, so nothing can
 * be asked or kept; the job is left to a run that has it.
 */
export type WatchEnd = 'ended' | 'deleted' | 'left' | Failure;

/** A job may take this long to show after its creation; a 404 within it is not a deletion. */
const SHOWS_WITHIN_MS = 60_000;

/** Polls a job to its end by durable timers, and cancels it when the shard is to stop. */
export async function watchJob(active: ActiveRound, context: WatchContext): Promise<WatchEnd> {
  const { control } = context;
  for (;;) {
    if (isTerminal(active.job.phase)) return 'ended';
    if (control.stopping && active.cancelAskedAt === null) {
      const asked = await askCancel(active, context);
      // A job that the cancel does not find may be there all the same: the next poll tells.
      if (asked !== 'known' && asked !== 'deleted') return asked;
      if (isTerminal(active.job.phase)) return 'ended';
    }
    if (control.stopping && isLeft(active, context)) return 'left';
    await context.continueAsNew();
    const { stopping } = control;
    await untilNextPoll(active, context);
    // What was asked meanwhile comes first: to cancel the job, or to leave it.
    if (control.discarding || control.stopping !== stopping) continue;
    const seen = await poll(active, context);
    if (seen !== 'known') return seen;
  }
}

function isLeft(active: ActiveRound, { control, settings }: WatchContext): boolean {
  if (control.discarding || control.patienceOver) return true;
  return active.cancelAskedAt !== null && Date.now() - active.cancelAskedAt >= settings.cancelWaitMs;
}

async function untilNextPoll(active: ActiveRound, context: WatchContext): Promise<void> {
  const { control, settings } = context;
  const { cancelAskedAt, job } = active;
  const { stopping } = control;
  const now = Date.now();
  // A cancel that failed is asked for again at the next poll; both come as often as after a cancel.
  const since = cancelAskedAt ?? (stopping ? control.stopSince : null) ?? job.createdAt;
  let wait = pollIntervalMs(
    {
      elapsedMs: now - since,
      counts: stopping ? null : job.counts,
      completedBefore: active.completedBefore,
      seed: active.key,
      poll: active.polls,
    },
    settings.poll,
  );
  if (cancelAskedAt !== null) {
    wait = Math.max(1, Math.min(wait, cancelAskedAt + settings.cancelWaitMs - now));
  }
  active.nextPollAt = now + wait;
  const wake = () =>
    control.pollNow || control.discarding || control.patienceOver || control.stopping !== stopping;
  await condition(wake, wait, { summary: `next poll of ${job.jobId}` });
  control.pollNow = false;
  active.nextPollAt = null;
}

type Seen = 'known' | 'deleted' | Failure;

async function poll(active: ActiveRound, context: WatchContext): Promise<Seen> {
  const { control } = context;
  const { stopping } = control;
  const stop = () => control.discarding || control.patienceOver || control.stopping !== stopping;
  active.polls += 1;
  return observe(active, context, () =>
    untilStopped(stop, () =>
      activities.getJob(`shard ${context.shard}, round ${context.round}`, { jobId: active.job.jobId }),
    ),
  );
}

async function askCancel(active: ActiveRound, context: WatchContext): Promise<Seen> {
  const { control } = context;
  return observe(active, context, async () => {
    const job = await untilStopped(
      () => control.patienceOver,
      () =>
        activities.cancelJob(`cancel shard ${context.shard}, round ${context.round}`, {
          jobId: active.job.jobId,
        }),
    );
    if (job !== INTERRUPTED) active.cancelAskedAt = Date.now();
    return job;
  });
}

/** Takes what a call says of the job; a call without an answer is no news, and the next poll asks again. */
async function observe(
  active: ActiveRound,
  { waits }: WatchContext,
  call: () => Promise<JobSnapshot | typeof INTERRUPTED>,
): Promise<Seen> {
  try {
    const job = await waits.patiently(call);
    if (job !== INTERRUPTED) {
      active.completedBefore = active.job.counts.completed;
      active.job = job;
      if (isSeenAlive(job)) active.seenAlive = true;
    }
  } catch (error) {
    const failure = knownFailure(error);
    if (failure === null) throw error;
    const { type, message } = failure;
    if (isStoreLost(type)) return { type, message };
    if (type === 'ProviderNotFound' && Date.now() - active.knownSince >= SHOWS_WITHIN_MS) {
      return 'deleted';
    }
  }
  return 'known';
}
