import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseJob,
  chooseStanding,
  chooseSurvivor,
  createTimeoutMs,
  decideCreate,
  nextLookMs,
} from '../../batch/create-decision.js';
import type { CreateFacts } from '../../batch/create-decision.js';
import type { JobPhase } from '../../batch/job-phase.js';
import { DEFAULTS } from '../../batch/settings.js';

const SETTLE = 120_000;

function facts(over: Partial<CreateFacts>): CreateFacts {
  return { refused: new Set(), intents: [], settleMs: SETTLE, now: 1_000_000, ...over };
}

const anyFacts = fc.record({
  refused: fc.array(fc.integer({ min: 1, max: 8 })).map((numbers) => new Set(numbers)),
  intents: fc.uniqueArray(
    fc.record({ n: fc.integer({ min: 1, max: 8 }), sendingAt: fc.integer({ min: 0, max: 300_000 }) }),
    { selector: ({ n }) => n },
  ),
  settleMs: fc.integer({ min: 0, max: 200_000 }),
  now: fc.integer({ min: 0, max: 500_000 }),
});

describe('a create', () => {
  it('is sent as number 1 when nothing was tried', () => {
    expect(decideCreate(facts({}))).toEqual({ kind: 'send', n: 1 });
  });

  it('waits while an earlier one may still turn into a job', () => {
    const intents = [{ n: 1, sendingAt: 1_000_000 - SETTLE + 1 }];
    expect(decideCreate(facts({ intents }))).toEqual({ kind: 'wait', at: 1_000_001 });
  });

  it('is sent with the next number once that time is over', () => {
    const intents = [{ n: 1, sendingAt: 1_000_000 - SETTLE }];
    expect(decideCreate(facts({ intents }))).toEqual({ kind: 'send', n: 2 });
  });

  it('is not sent any more by a run that has given the round up; other runs need not wait', () => {
    const intents = [
      { n: 1, sendingAt: 0 },
      { n: 2, sendingAt: 999_999, closes: 'old' },
    ];
    expect(decideCreate(facts({ intents, run: 'old' }))).toEqual({ kind: 'closed' });
    expect(decideCreate(facts({ intents, run: 'new' }))).toEqual({ kind: 'send', n: 3 });
    expect(decideCreate(facts({ intents }))).toEqual({ kind: 'send', n: 3 });
  });

  it('does not wait for one that was refused', () => {
    const intents = [{ n: 1, sendingAt: 999_999 }];
    expect(decideCreate(facts({ intents, refused: new Set([1]) }))).toEqual({ kind: 'send', n: 2 });
  });

  it('waits for an old unrefused one although a later one was refused', () => {
    const intents = [
      { n: 2, sendingAt: 999_999 },
      { n: 1, sendingAt: 990_000 },
    ];
    expect(decideCreate(facts({ intents, refused: new Set([2]) }))).toEqual({
      kind: 'wait',
      at: 990_000 + SETTLE,
    });
  });

  it('waits for one that another machine, whose clock is ahead, is about to send', () => {
    const intents = [{ n: 1, sendingAt: 1_050_000 }];
    expect(decideCreate(facts({ intents }))).toEqual({ kind: 'wait', at: 1_050_000 + SETTLE });
  });

  it('is never sent while an unrefused one is unsettled, and never waits for nothing', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const unsettled = given.intents.filter(
          ({ n, sendingAt }) => !given.refused.has(n) && sendingAt + given.settleMs > given.now,
        );
        const decision = decideCreate(given);
        expect(decision.kind).toBe(unsettled.length > 0 ? 'wait' : 'send');
        if (decision.kind === 'wait') {
          // At that moment all have settled: the wait is long enough, and not longer than needed.
          expect(decideCreate({ ...given, now: decision.at }).kind).toBe('send');
          expect(decideCreate({ ...given, now: decision.at - 1 }).kind).toBe('wait');
        }
      }),
    );
  });

  it('takes the number after the highest, refused or not: a number is used once', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const decision = decideCreate({ ...given, now: 1_000_000 });
        const highest = Math.max(0, ...given.intents.map(({ n }) => n));
        expect(decision).toEqual({ kind: 'send', n: highest + 1 });
      }),
    );
  });
});

describe('the time-out of the POST', () => {
  it.each([
    [DEFAULTS.createSettleMs, 60_000],
    [600_000, 60_000],
    [119_999, 59_999],
    [10_000, 5_000],
    [0, 0],
  ])('for a settle time of %d ms is %d ms', (settleMs, timeout) => {
    expect(createTimeoutMs(settleMs)).toBe(timeout);
  });

  it('leaves the provider as long again to list the job', () => {
    fc.assert(fc.property(fc.nat(), (settleMs) => 2 * createTimeoutMs(settleMs) <= settleMs));
  });
});

describe('the next look for an unanswered create', () => {
  it.each([
    [120_000, 120_000, 15_000],
    [120_000, 9_000, 9_000],
    [4_000, 4_000, 1_000],
    [4_000, 0, 1],
    // A clock that was far ahead when it wrote the intent.
    [120_000, 86_400_000, 15_000],
  ])('with a settle time of %i ms, of which %i are left, comes after %i', (settleMs, left, expected) => {
    expect(nextLookMs({ at: 1_000_000 + left, now: 1_000_000, settleMs })).toBe(expected);
  });
});

describe('of several jobs with one key', () => {
  const anyJobs = fc.uniqueArray(
    fc.record({ id: fc.string({ maxLength: 3 }), createdAt: fc.integer({ min: 0, max: 3 }) }),
    { selector: ({ id }) => id },
  );

  it('the oldest is kept, and of equally old ones the smallest id', () => {
    const [a, b, c] = [
      { id: 'a', createdAt: 2 },
      { id: 'c', createdAt: 1 },
      { id: 'b', createdAt: 1 },
    ];
    expect(chooseJob([a, b, c])).toEqual({ job: c, duplicates: [b, a] });
  });

  it('none is kept when there is none', () => {
    expect(chooseJob([])).toEqual({ job: null, duplicates: [] });
  });

  it('every observer keeps the same one, and loses none of the others', () => {
    const shuffled = anyJobs.chain((jobs) =>
      fc.tuple(fc.constant(jobs), fc.shuffledSubarray(jobs, { minLength: jobs.length })),
    );
    fc.assert(
      fc.property(shuffled, ([jobs, others]) => {
        const mine = chooseJob(jobs);
        expect(chooseJob(others)).toEqual(mine);
        const all = mine.job === null ? [] : [mine.job, ...mine.duplicates];
        expect(new Set(all)).toEqual(new Set(jobs));
        for (const other of mine.duplicates) {
          const { job } = mine;
          const later =
            job !== null &&
            (other.createdAt > job.createdAt || (other.createdAt === job.createdAt && other.id > job.id));
          expect(later).toBe(true);
        }
      }),
    );
  });

  it("leaves the observer's own list as it is", () => {
    const jobs = Object.freeze([
      { id: 'b', createdAt: 2 },
      { id: 'a', createdAt: 1 },
    ]);
    expect(chooseJob(jobs).job?.id).toBe('a');
  });
});

const job = (id: string, phase: JobPhase, createdAt = 1) => ({ id, phase, createdAt });

describe('a round without a record takes up', () => {
  it('the first of its jobs, whatever has become of it, but for one that was cancelled', () => {
    const phases = ['pending', 'running', 'succeeded', 'failed', 'expired', 'unknown'] as const;
    for (const phase of phases) {
      expect(chooseStanding([job('b', 'running', 2), job('a', phase)])?.id).toBe('a');
    }
    for (const phase of ['cancelled', 'cancelling'] as const) {
      const jobs = [job('a', phase), job('c', 'running', 3), job('b', 'running', 2)];
      expect(chooseStanding(jobs)?.id).toBe('b');
    }
  });

  it('the first cancelled one, if all are', () => {
    expect(chooseStanding([job('b', 'cancelled', 2), job('a', 'cancelling')])?.id).toBe('a');
    expect(chooseStanding([])).toBeNull();
  });
});

describe('in the place of a job that was taken away', () => {
  it('comes one that has succeeded, else one that lives; the same for every observer', () => {
    const lost = job('a', 'cancelled');
    const jobs = [lost, job('d', 'running'), job('c', 'succeeded', 3), job('b', 'succeeded', 2)];
    expect(chooseSurvivor(jobs, 'a')?.id).toBe('b');
    expect(chooseSurvivor([lost, job('e', 'pending'), job('d', 'running')], 'a')?.id).toBe('d');
  });

  it('comes none if it is still listed as if nothing had been', () => {
    for (const phase of ['running', 'succeeded'] as const) {
      expect(chooseSurvivor([job('a', phase), job('b', 'succeeded', 2)], 'a')).toBeNull();
    }
  });

  it('comes none that has ended badly, is being cancelled, or is the lost one itself', () => {
    const jobs = [job('a', 'running'), job('b', 'cancelled'), job('c', 'cancelling'), job('d', 'failed')];
    expect(chooseSurvivor([...jobs, job('e', 'expired'), job('f', 'unknown')], 'a')).toBeNull();
  });
});
