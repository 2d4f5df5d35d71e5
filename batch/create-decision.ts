import type { JobPhase } from './job-phase.js';

/**
 * The decision inside the one step that costs money and is not idempotent (design section 3.2).
 * What is known about a key is gathered by the activity; what follows from it is decided here.
 */

export interface Intent {
  readonly n: number;
  /** When its POST was about to be sent, Unix milliseconds. */
  readonly sendingAt: number;
  /**
   * Not a POST but its opposite: the run that will create no job in this round any more. What is left of its
   * attempts must not send; other runs need not wait for it.
   */
  readonly closes?: string | undefined;
}

export interface CreateFacts {
  /** Numbers of intents with a definite refusal. */
  readonly refused: ReadonlySet<number>;
  readonly intents: readonly Intent[];
  /** How long after `sendingAt` an unanswered POST may still turn into a listed job. */
  readonly settleMs: number;
  readonly now: number;
  /** The run that asks; left out: none that could have been closed. */
  readonly run?: string | undefined;
}

export type CreateDecision =
  /** Nothing can be under way: write intent `n`, then send. */
  | { readonly kind: 'send'; readonly n: number }
  /** A create may have happened and would not be listed yet: list again at `at`. */
  | { readonly kind: 'wait'; readonly at: number }
  /** The shard has given this round up for its run: an attempt that it left behind sends nothing, however late. */
  | { readonly kind: 'closed' };

/** Whether an intent's POST may have made a job that nobody was told of. */
export function isUnanswered(
  { n, closes }: Pick<Intent, 'n' | 'closes'>,
  refused: ReadonlySet<number>,
): boolean {
  return closes === undefined && !refused.has(n);
}

/** What to do when no job of the key is recorded or listed. */
export function decideCreate(facts: CreateFacts): CreateDecision {
  let highest = 0;
  let settledAt = 0;
  for (const { n, sendingAt, closes } of facts.intents) {
    highest = Math.max(highest, n);
    if (closes !== undefined && closes === facts.run) return { kind: 'closed' };
    if (!isUnanswered({ n, closes }, facts.refused)) continue;
    settledAt = Math.max(settledAt, sendingAt + facts.settleMs);
  }
  return settledAt > facts.now ? { kind: 'wait', at: settledAt } : { kind: 'send', n: highest + 1 };
}

/** Looks within a settle time: a job that shows early is adopted early, and one list that lags hides nothing. */
const LOOKS = 8;

/** How long to wait for the next look, with nothing to be decided before `at`. */
export function nextLookMs({ at, now, settleMs }: { at: number; now: number; settleMs: number }): number {
  return Math.max(1, Math.min(at - now, Math.max(1_000, Math.floor(settleMs / LOOKS))));
}

/**
 * Time-out of the POST: half of what the settle time allows, so that an attempt that is abandoned can't
 * have its job listed after the next attempt stopped waiting for it.
 */
export function createTimeoutMs(settleMs: number): number {
  return Math.min(60_000, Math.floor(settleMs / 2));
}

/**
 * A create waits for its turn within its time-out, behind the calls of its batch's other shards and of their transfers:
 * as many as this of the default size.
 */
const CALLS_WITHIN_A_CREATE = 10;

/** The lowest rate of calls per second with which creates get through. */
export function lowestRate(settleMs: number): number {
  return (CALLS_WITHIN_A_CREATE * 1_000) / createTimeoutMs(settleMs);
}

export interface JobAge {
  readonly id: string;
  readonly createdAt: number;
}

/** Of several jobs with one key, the one to keep: smallest (created_at, id), the same for every observer. */
export function chooseJob<J extends JobAge>(jobs: readonly J[]): { job: J | null; duplicates: readonly J[] } {
  const sorted = jobs.toSorted(
    (a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  const [job = null, ...duplicates] = sorted;
  return { job, duplicates };
}

/**
 * The job that a round takes up when none is on record: the first of those that stand. One that was cancelled, by a rival
 * or by hand, brings no more answers, and to keep it would mean to cancel what took its place and to buy that again.
 */
export function chooseStanding<J extends JobAge & { readonly phase: JobPhase }>(
  jobs: readonly J[],
): J | null {
  const standing = jobs.filter(({ phase }) => phase !== 'cancelled' && phase !== 'cancelling');
  return chooseJob(standing.length > 0 ? standing : jobs).job;
}

/**
 * The job to go on with when the recorded one was taken from its batch: cancelled by others, or deleted. Two stores
 * that race may each keep another job and cancel the other's; what carries the same key is the same purchase, so
 * the one that was left alive serves both.
 */
export function chooseSurvivor<J extends JobAge & { readonly phase: JobPhase }>(
  jobs: readonly J[],
  lost: string,
): J | null {
  const others = jobs.filter(({ id }) => id !== lost);
  // It is listed as if nothing had been: whoever did not find it asked at the wrong moment.
  const [itself] = jobs.filter(({ id }) => id === lost);
  if (itself !== undefined && (itself.phase === 'succeeded' || isAlive(itself.phase))) return null;
  const finished = others.filter(({ phase }) => phase === 'succeeded');
  const alive = others.filter(({ phase }) => isAlive(phase));
  return chooseJob(finished.length > 0 ? finished : alive).job;
}

function isAlive(phase: JobPhase): boolean {
  return phase === 'pending' || phase === 'running';
}
