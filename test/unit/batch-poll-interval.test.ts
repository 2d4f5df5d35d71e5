import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pollIntervalMs } from '../../batch/poll-interval.js';
import type { PollFacts } from '../../batch/poll-interval.js';
import { DEFAULTS } from '../../batch/settings.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const POLICY = DEFAULTS.poll;
/** The jitter takes away so much of an interval at most, and never adds to it: the promise is an upper bound. */
const JITTER = 0.05;

function facts(over: Partial<PollFacts> = {}): PollFacts {
  return { elapsedMs: HOUR, counts: null, completedBefore: 0, seed: 'batch/0-1', poll: 1, ...over };
}

function completed(done: number, total: number): NonNullable<PollFacts['counts']> {
  return { total, completed: done, succeeded: done, failed: 0 };
}

/** Polls until one falls at or after the end of the job. */
function watch(durationMs: number, seed: string): { polls: number; noticedAt: number } {
  let now = 0;
  let poll = 0;
  while (now < durationMs || poll === 0) {
    now += pollIntervalMs(facts({ elapsedMs: now, seed, poll }), POLICY);
    poll += 1;
  }
  return { polls: poll, noticedAt: now };
}

const seeds = Array.from({ length: 20 }, (_, shard) => `batch/${shard}-1`);
const anyCounts = fc.record({
  total: fc.nat(),
  completed: fc.nat(),
  succeeded: fc.nat(),
  failed: fc.nat(),
});
const anyFacts = fc.record({
  elapsedMs: fc.integer({ min: -HOUR, max: 30 * DAY }),
  counts: fc.option(anyCounts),
  completedBefore: fc.nat(),
  seed: fc.string(),
  poll: fc.nat(),
});

describe('the number of polls', () => {
  it.each(seeds)('is about 243 for a job of a day (%s)', (seed) => {
    const { polls } = watch(DAY, seed);
    expect(polls).toBeGreaterThanOrEqual(238);
    expect(polls).toBeLessThanOrEqual(250);
  });

  it.each(seeds)('is at most 1,150 for a job of a week (%s)', (seed) => {
    expect(watch(7 * DAY, seed).polls).toBeLessThanOrEqual(1150);
  });
});

describe('the end of a job', () => {
  it('is noticed within 5 % of its duration or 5 s, jitter included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 * DAY }), fc.string(), (durationMs, seed) => {
        const late = watch(durationMs, seed).noticedAt - durationMs;
        // Half a millisecond more: waits are whole milliseconds.
        return late <= Math.max(POLICY.minMs, 0.05 * durationMs) + 0.5;
      }),
      { numRuns: 50 },
    );
  });

  it('is noticed within 10 min, however long the job ran', () => {
    const late = watch(7 * DAY + 1, 'batch/0-1').noticedAt - 7 * DAY - 1;
    expect(late).toBeLessThanOrEqual(POLICY.maxMs);
  });

  it('is awaited more closely when the counters say that it is near', () => {
    // 10 h for 99 % of the rows: the last 1 % takes 6 min more, less than the usual 10 min.
    const near = facts({ elapsedMs: 10 * HOUR, counts: completed(99, 100), completedBefore: 98 });
    const steady = facts({ elapsedMs: 10 * HOUR });
    expect(pollIntervalMs(near, POLICY)).toBeLessThan(pollIntervalMs(steady, POLICY));
    expect(Math.abs(pollIntervalMs(near, POLICY) / ((10 * HOUR) / 99) - 1)).toBeLessThanOrEqual(
      JITTER + 1e-3,
    );
  });

  it('is looked for at the smallest interval once all rows are counted', () => {
    const all = facts({ elapsedMs: 10 * HOUR, counts: completed(100, 100), completedBefore: 99 });
    expect(pollIntervalMs(all, POLICY)).toBe(POLICY.minMs);
  });

  it.each([
    ['counters that stand still', completed(99, 100), 99],
    ['counters that went back', completed(50, 100), 99],
    ['counters before validation', completed(0, 0), 0],
    ['a total of 0 with rows done', completed(3, 0), 0],
    ['nothing done yet', completed(0, 100), 0],
    ['an end that is further away than the usual interval', completed(50, 100), 49],
  ])('is not hurried for by %s', (_, counts, completedBefore) => {
    const elapsedMs = 10 * HOUR;
    expect(pollIntervalMs(facts({ elapsedMs, counts, completedBefore }), POLICY)).toBe(
      pollIntervalMs(facts({ elapsedMs }), POLICY),
    );
  });

  it('is never awaited longer with counters than without', () => {
    fc.assert(
      fc.property(
        anyFacts,
        (some) => pollIntervalMs(some, POLICY) <= pollIntervalMs({ ...some, counts: null }, POLICY),
      ),
    );
  });
});

describe('the interval', () => {
  it('keeps to the policy, whatever the facts', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat({ max: HOUR }), fc.nat({ max: HOUR }), (some, minMs, more) => {
        const wait = pollIntervalMs(some, { minMs, maxMs: minMs + more });
        return Number.isInteger(wait) && wait >= minMs && wait <= minMs + more;
      }),
    );
  });

  it('is the minimum when the policy has a maximum below it', () => {
    expect(pollIntervalMs(facts({ elapsedMs: DAY }), { minMs: 60_000, maxMs: 5_000 })).toBe(60_000);
  });

  it('is the same for the same facts: workflow code must be deterministic', () => {
    fc.assert(
      fc.property(anyFacts, (some) => pollIntervalMs(some, POLICY) === pollIntervalMs({ ...some }, POLICY)),
    );
  });

  it('differs by shard and by poll, so that shards do not poll in step', () => {
    const byShard = seeds.map((seed) => pollIntervalMs(facts({ seed }), POLICY));
    const byPoll = seeds.map((_, poll) => pollIntervalMs(facts({ poll }), POLICY));
    expect(new Set(byShard).size).toBeGreaterThan(15);
    expect(new Set(byPoll).size).toBeGreaterThan(15);
  });

  it('strays a little, and only to the sooner side', () => {
    const shares = seeds.map((seed) => pollIntervalMs(facts({ seed }), POLICY) / (0.05 * HOUR));
    expect(Math.max(...shares)).toBeLessThanOrEqual(1);
    expect(Math.min(...shares)).toBeGreaterThan(1 - JITTER);
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.01);
  });
});
