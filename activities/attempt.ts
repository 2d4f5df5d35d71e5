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
  /** How many attempts before this one have not found a result file, whatever befell those in between. */
  readonly absences: number;
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
    ...memoryIn(info.heartbeatDetails),
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

/**
 * Leaves to the next attempt how this one failed, and what it has counted itself. The last heartbeat goes out with the
 * failure, however soon it comes.
 */
export function passOn(failure: Error, counted: { readonly absences?: number | undefined }): void {
  if (!(failure instanceof ApplicationFailure) || failure.type === WORKER_SHUTDOWN) return;
  const context = Context.current();
  const { streak: before, absences } = memoryIn(context.info.heartbeatDetails);
  const streak = isFailureType(failure.type) ? streakWith(before, failure.type) : null;
  tell(context, null, { streak, absences: counted.absences ?? absences });
}

/** What one attempt leaves to the next. */
type Memory = Pick<Attempt, 'streak' | 'absences'>;

/**
 * The details of a heartbeat are all that one attempt can leave to the next. The server keeps only the last ones, so each
 * heartbeat carries the memory along.
 */
function tell(
  context: Context,
  progress: string | null,
  memory: Memory = memoryIn(context.info.heartbeatDetails),
): void {
  context.heartbeat({ progress, ...memory });
}

/** They may be of another version of the worker. */
function memoryIn(details: unknown): Memory {
  if (typeof details !== 'object' || details === null) return { streak: null, absences: 0 };
  const absences = 'absences' in details ? details.absences : 0;
  return {
    streak: 'streak' in details ? readStreak(details.streak) : null,
    absences: typeof absences === 'number' && Number.isInteger(absences) && absences > 0 ? absences : 0,
  };
}
