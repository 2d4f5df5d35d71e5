/**
 * The decision inside the one step that costs money and is not idempotent (design section 3.2).
 * What is known about a key is gathered by the activity; what follows from it is decided here.
 */

export interface Intent {
  readonly n: number;
  /** When its POST was about to be sent, Unix milliseconds. */
  readonly sendingAt: number;
}

export interface CreateFacts {
  /** Numbers of intents with a definite refusal. */
  readonly refused: ReadonlySet<number>;
  readonly intents: readonly Intent[];
  /** How long after `sendingAt` an unanswered POST may still turn into a listed job. */
  readonly settleMs: number;
  readonly now: number;
}

export type CreateDecision =
  /** Nothing can be under way: write intent `n`, then send. */
  | { readonly kind: 'send'; readonly n: number }
  /** A create may have happened and would not be listed yet: list again at `at`. */
  | { readonly kind: 'wait'; readonly at: number };

/** What to do when no job of the key is recorded or listed. */
export function decideCreate(facts: CreateFacts): CreateDecision {
  let highest = 0;
  let settledAt = 0;
  for (const { n, sendingAt } of facts.intents) {
    highest = Math.max(highest, n);
    if (!facts.refused.has(n)) settledAt = Math.max(settledAt, sendingAt + facts.settleMs);
  }
  return settledAt > facts.now ? { kind: 'wait', at: settledAt } : { kind: 'send', n: highest + 1 };
}

/**
 * Time-out of the POST: half of what the settle time allows, so that an attempt that is abandoned can't
 * have its job listed after the next attempt stopped waiting for it.
 */
export function createTimeoutMs(settleMs: number): number {
  return Math.min(60_000, Math.floor(settleMs / 2));
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
