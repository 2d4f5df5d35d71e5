import { FAILURE_TYPES, isFailureType } from './failure-types.js';
import type { FailureType } from './failure-types.js';

/** Attempts of a failure whose type says `few`. */
const FEW_ATTEMPTS = 5;

/** How often in a row, up to now, the attempts of one activity have failed as one type. */
export interface FailureStreak {
  readonly type: FailureType;
  readonly attempts: number;
}

/**
 * The streak with one more failure. Attempts that failed otherwise do not count: an outage of hours must not make the
 * first mismatch after it the last one.
 */
export function streakWith(before: FailureStreak | null, type: FailureType): FailureStreak {
  return { type, attempts: before?.type === type ? before.attempts + 1 : 1 };
}

/** Whether the activity is not tried again after this failure. */
export function isFinal({ type, attempts }: FailureStreak): boolean {
  const { retry } = FAILURE_TYPES[type];
  return retry === 'no' || (retry === 'few' && attempts >= FEW_ATTEMPTS);
}

/** Reads a streak out of what an earlier attempt, maybe of another version, has left; null for anything else. */
export function readStreak(value: unknown): FailureStreak | null {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('attempts' in value))
    return null;
  const { type, attempts } = value;
  if (!isFailureType(type) || typeof attempts !== 'number' || !Number.isInteger(attempts)) return null;
  return attempts > 0 ? { type, attempts } : null;
}
