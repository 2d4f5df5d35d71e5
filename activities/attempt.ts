import { activityInfo, cancellationSignal, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { readStreak, streakWith } from '../batch/failure-streak.js';
import type { FailureStreak } from '../batch/failure-streak.js';
import { isFailureType } from '../batch/failure-types.js';
import { batchIdOf } from '../batch/layout.js';
import { WORKER_SHUTDOWN } from './to-application-failure.js';

/** One attempt of an activity: whose it is, how long it may take, whether it is still wanted. */
export interface Attempt {
  readonly batchId: string;
  /** From 1. */
  readonly number: number;
  /** How the attempts just before this one failed, if all failed alike. */
  readonly streak: FailureStreak | null;
  readonly signal: AbortSignal;
  /** Tells the server that the work advances; calls are cheap, about one a second is sent. */
  readonly beat: (progress: string) => void;
  /** Milliseconds left of the attempt's start-to-close time, by this machine's monotonic clock. */
  readonly timeLeftMs: () => number;
}

const BEAT_EVERY_MS = 1_000;

export function currentAttempt(): Attempt {
  const info = activityInfo();
  const startedAt = performance.now();
  const timeoutMs = info.startToCloseTimeoutMs;
  let beatAt = -Infinity;
  return {
    batchId: batchIdOf(info.workflowExecution?.workflowId ?? ''),
    number: info.attempt,
    streak: streakBefore(info.heartbeatDetails),
    signal: cancellationSignal(),
    beat: (progress) => {
      const now = performance.now();
      if (now - beatAt < BEAT_EVERY_MS) return;
      beatAt = now;
      tell(Context.current(), progress);
    },
    timeLeftMs: () => timeoutMs - (performance.now() - startedAt),
  };
}

const SIGN_OF_LIFE_MS = 4_000;

/**
 * Heartbeats for as long as the attempt runs, so that a killed worker is noticed in seconds and not when a call or a
 * transfer would have timed out. What hangs is ended by its own time-outs: a heartbeat says only that the process
 * lives. Returns what ends it.
 */
export function showLife(): () => void {
  const context = Context.current();
  const timer = setInterval(() => tell(context, null), SIGN_OF_LIFE_MS);
  return () => clearInterval(timer);
}

/** Leaves to the next attempt how this one failed. The last heartbeat goes out with the failure, however soon it comes. */
export function passOn(failure: Error): void {
  if (!(failure instanceof ApplicationFailure) || failure.type === WORKER_SHUTDOWN) return;
  const context = Context.current();
  const before = streakBefore(context.info.heartbeatDetails);
  tell(context, null, isFailureType(failure.type) ? streakWith(before, failure.type) : null);
}

/**
 * The details of a heartbeat are all that one attempt can leave to the next. The server keeps only the last ones, so each
 * heartbeat carries the streak along.
 */
function tell(
  context: Context,
  progress: string | null,
  streak: FailureStreak | null = streakBefore(context.info.heartbeatDetails),
): void {
  context.heartbeat({ progress, streak });
}

function streakBefore(details: unknown): FailureStreak | null {
  return typeof details === 'object' && details !== null && 'streak' in details
    ? readStreak(details.streak)
    : null;
}
