import type { JobCounts } from './job-phase.js';

export interface PollPolicy {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface PollFacts {
  /** Since the job was created or, once a cancel was asked for, since then. */
  readonly elapsedMs: number;
  readonly counts: JobCounts | null;
  /** `completed` at the look before: a counter that stands still says nothing of the end. */
  readonly completedBefore: number;
  /** Same inputs, same jitter: workflow code must be deterministic, and shards must not poll in step. */
  readonly seed: string;
  readonly poll: number;
}

/** The end of a job is noticed within this share of its own duration. */
const SHARE = 0.05;
/** Only ever sooner: later would break the promise above. */
const JITTER = 0.03;

/**
 * Milliseconds until the next poll: 5 % of the elapsed time within [min, max], sooner when the counters
 * say that the job ends before that. A day's job takes about 243 polls, a week's about 1,100.
 */
export function pollIntervalMs(facts: PollFacts, policy: PollPolicy): number {
  const steady = clamp(facts.elapsedMs * SHARE, policy);
  const toEnd = remainingMs(facts);
  const aimed = toEnd === null ? steady : Math.min(steady, clamp(toEnd, policy));
  const jitter = 1 - JITTER * unitHash(`${facts.seed}#${facts.poll}`);
  return Math.round(clamp(aimed * jitter, policy));
}

/**
 * Time left at the rate so far; null when the counters say nothing useful: total is 0 while validating, and a job
 * whose last rows take a day must not be polled every few seconds for that day.
 */
function remainingMs({ counts, completedBefore, elapsedMs }: PollFacts): number | null {
  if (counts === null || counts.total <= 0 || counts.completed <= completedBefore) return null;
  const left = Math.max(0, counts.total - counts.completed);
  return (elapsedMs / counts.completed) * left;
}

function clamp(ms: number, { minMs, maxMs }: PollPolicy): number {
  return Math.min(Math.max(ms, minMs), Math.max(minMs, maxMs));
}

/** FNV-1a onto [0, 1): no crypto in this room, and none is needed to spread polls. */
function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x100000000;
}
