import { activityInfo, cancellationSignal, Context, heartbeat } from '@temporalio/activity';
import { batchIdOf } from '../batch/layout.js';

/** One attempt of an activity: whose it is, how long it may take, whether it is still wanted. */
export interface Attempt {
  readonly batchId: string;
  /** From 1. */
  readonly number: number;
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
    signal: cancellationSignal(),
    beat: (progress) => {
      const now = performance.now();
      if (now - beatAt < BEAT_EVERY_MS) return;
      beatAt = now;
      heartbeat(progress);
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
  const timer = setInterval(() => context.heartbeat(), SIGN_OF_LIFE_MS);
  return () => clearInterval(timer);
}
