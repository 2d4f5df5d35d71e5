import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeProgress, runningPhase } from '../../batch/progress.js';
import type { BatchProgressAnswer, JobProgress, ShardProgress } from '../../batch/progress.js';
import { addCounts, countRows, NO_ROWS } from '../../batch/rows.js';

const STARTED = Date.UTC(2026, 0, 1);

function batch(differs: Partial<BatchProgressAnswer>): BatchProgressAnswer {
  return {
    batchId: 'b',
    phase: 'running',
    paused: false,
    rows: { ...NO_ROWS, total: 100, unanswered: 100 },
    shards: { total: 2, running: 2, done: 0 },
    jobs: [],
    running: [0, 1],
    startedAt: new Date(STARTED).toISOString(),
    etaAt: null,
    ...differs,
  };
}

function shard(differs: Partial<ShardProgress>): ShardProgress {
  return { shard: 0, round: 1, phase: 'running', rows: NO_ROWS, job: null, ...differs };
}

function job(completed: number, failed = 0): JobProgress {
  return {
    shard: 0,
    round: 1,
    jobId: 'j',
    status: 'RUNNING',
    requests: 50,
    completed,
    failed,
    nextPollAt: null,
  };
}

describe('the phase of a running batch', () => {
  test.each([
    [{ cancelling: true, paused: true, shardPhases: ['waiting-for-auth'] }, 'cancelling'],
    [
      { cancelling: false, paused: true, shardPhases: ['waiting-for-quota', 'waiting-for-auth'] },
      'waiting-for-auth',
    ],
    [{ cancelling: false, paused: true, shardPhases: ['running', 'waiting-for-quota'] }, 'waiting-for-quota'],
    [{ cancelling: false, paused: true, shardPhases: ['running'] }, 'paused'],
    [{ cancelling: false, paused: false, shardPhases: [] }, 'running'],
  ] as const)('%j is %s', (facts, phase) => expect(runningPhase(facts)).toBe(phase));
});

describe('progress of a batch and its running shards', () => {
  test('adds up, whatever each of them says', () => {
    const counts = fc
      .record({ succeeded: fc.nat(20), failed: fc.nat(20), expired: fc.nat(5) })
      .map(({ succeeded, failed, expired }) =>
        [
          countRows('succeeded', succeeded),
          countRows('failed', failed),
          countRows('expired', expired),
        ].reduce(addCounts, NO_ROWS),
      );
    fc.assert(
      fc.property(fc.array(counts, { maxLength: 2 }), (each) => {
        const { rows } = mergeProgress(
          batch({}),
          each.map((own) => shard({ rows: own })),
          STARTED + 1_000,
        );
        const { total, unanswered, ...classes } = rows;
        expect(total).toBe(100);
        expect(Object.values(classes).reduce((sum, n) => sum + n, 0) + unanswered).toBe(total);
      }),
    );
  });

  test('lists the running jobs', () => {
    const { jobs } = mergeProgress(batch({}), [shard({ job: job(5) }), shard({})], STARTED);
    expect(jobs).toEqual([job(5)]);
  });

  test('rows of a running job count as done, and never more than there are', () => {
    const rows = { ...countRows('succeeded', 60), total: 100, unanswered: 40 };
    const rowsDone = (...jobs: JobProgress[]) =>
      mergeProgress(
        batch({ rows }),
        jobs.map((each) => shard({ job: each })),
        STARTED,
      ).rowsDone;
    expect(rowsDone(job(10))).toBe(70);
    expect(rowsDone(job(50), job(50))).toBe(100);
  });

  test('rows that failed are done when nobody sends them again: at their shard’s end', () => {
    const failed = countRows('failed', 3);
    const succeeded = countRows('succeeded', 47);
    const inOneShard = (differs: Partial<ShardProgress>) =>
      mergeProgress(batch({ shards: { total: 1, running: 1, done: 0 } }), [shard(differs)], STARTED).rowsDone;
    const passes = [
      inOneShard({ job: job(30, 2) }),
      inOneShard({ job: job(50, 3) }),
      // Collected; the next round has no job yet.
      inOneShard({ rows: addCounts(succeeded, failed) }),
      inOneShard({ round: 2, rows: succeeded, job: { ...job(0), requests: 3 } }),
      inOneShard({ round: 2, rows: succeeded, job: { ...job(3, 1), requests: 3 } }),
      inOneShard({ round: 2, rows: addCounts(countRows('succeeded', 49), countRows('failed', 1)) }),
    ];
    expect(passes).toEqual([28, 47, 47, 47, 49, 49]);
    const rows = { ...addCounts(countRows('succeeded', 49), countRows('failed', 1)), unanswered: 50 };
    expect(mergeProgress(batch({ rows: { ...rows, total: 100 } }), [], STARTED).rowsDone).toBe(50);
  });

  test('the end is estimated at the rate so far', () => {
    const now = STARTED + 60_000;
    const { etaAt } = mergeProgress(batch({}), [shard({ job: job(25) })], now);
    expect(etaAt).toBe(new Date(STARTED + 240_000).toISOString());
  });

  test.each([
    ['nothing is done', batch({}), [], 60_000],
    ['it does not run', batch({ phase: 'paused' }), [shard({ job: job(25) })], 60_000],
    ['it has just started', batch({}), [shard({ job: job(25) })], 0],
  ])('there is no estimate when %s', (_name, given, shards, elapsed) => {
    expect(mergeProgress(given, shards, STARTED + elapsed).etaAt).toBeNull();
  });
});
