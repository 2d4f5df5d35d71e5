import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RoundSums } from '../../batch/account.js';
import { NO_CONTROL } from '../../batch/control.js';
import type { JobSnapshot } from '../../batch/job-snapshot.js';
import { addCounts, addsUp, countRows, NO_ROWS } from '../../batch/rows.js';
import type { RowCounts } from '../../batch/rows.js';
import { absorbed, adopted, left, roundMode } from '../../batch/shard-rounds.js';
import { initialShardState } from '../../batch/shard-state.js';
import type { ShardState } from '../../batch/shard-state.js';

const NORMAL = { retry: false, rebuyLost: false };
const JOB: JobSnapshot = {
  jobId: 'a',
  phase: 'pending',
  status: 'QUEUED',
  counts: { total: 0, completed: 0, succeeded: 0, failed: 0 },
  outputFile: null,
  errorFile: null,
  createdAt: 0,
  completedAt: null,
};

function sumsOf(rows: RowCounts, takes: RowCounts): RoundSums {
  return { rows, takes, answered: rows.total, retryable: 0, failure: null };
}

function shard(over: Partial<ShardState> = {}): ShardState {
  return { ...initialShardState(NO_CONTROL), ...over };
}

/** A shard whose open round, of rows that count as `takes`, has got a job. */
function watching(before: ShardState, takes: RowCounts, rows: number, seenAlive = true): ShardState {
  return { ...before, ...adopted(before, { key: 'key', rows, takes, job: JOB, seenAlive, now: 7 }) };
}

describe('the rows of a round', () => {
  it('count as nothing while its job is watched, and as what the job brought after it', () => {
    const first = shard({ round: 2, rows: addCounts(countRows('succeeded', 3), countRows('missing', 2)) });
    const second = watching(first, countRows('missing', 2), 2);
    expect(second.rows).toEqual(countRows('succeeded', 3));
    const sums = sumsOf(countRows('failed', 2), countRows('missing', 2));
    expect(absorbed(second, sums, { key: 'key', listedAt: 9 })).toMatchObject({
      problem: null,
      rows: addCounts(countRows('succeeded', 3), countRows('failed', 2)),
      answered: 2,
      recheck: [{ round: 2, key: 'key', listedAt: 9 }],
      active: null,
      round: 3,
    });
  });

  it('count as before when the run leaves the job', () => {
    fc.assert(
      fc.property(fc.nat({ max: 9 }), fc.nat({ max: 9 }), (kept, taken) => {
        const takes = countRows('expired', taken);
        const before = shard({ round: 2, rows: addCounts(countRows('succeeded', kept), takes) });
        const leaving = watching(before, takes, taken);
        expect(left(leaving)).toEqual({ rows: before.rows });
        expect(addsUp(leaving.rows)).toBe(true);
      }),
    );
  });

  it('of a round that an earlier run closed are counted too, and its duplicates are that run’s concern', () => {
    const { problem, ...changes } = absorbed(shard(), sumsOf(countRows('succeeded', 4), NO_ROWS), null);
    expect([problem, changes]).toMatchObject([
      null,
      { rows: countRows('succeeded', 4), round: 2, recheck: [] },
    ]);
  });

  it('are not touched by sums that can’t be true', () => {
    const before = watching(shard(), NO_ROWS, 3);
    expect(absorbed(before, sumsOf(countRows('succeeded', 2), NO_ROWS), { key: 'key', listedAt: 0 })).toEqual(
      {
        problem: '3 rows were sent and 2 are accounted for',
        rows: NO_ROWS,
        active: null,
      },
    );
  });
});

describe('what is final', () => {
  it('binds a run from the first round on whose job it saw alive', () => {
    expect(roundMode(shard({ round: 3 }), NORMAL).finalFrom).toBe(3);
    const dead = watching(shard({ round: 3 }), NO_ROWS, 1, false);
    expect(dead.finalFrom).toBeNull();
    const alive = watching({ ...dead, round: 4 }, NO_ROWS, 1);
    expect(roundMode({ ...alive, round: 6 }, NORMAL).finalFrom).toBe(4);
    expect(watching({ ...alive, round: 6 }, NO_ROWS, 1).finalFrom).toBe(4);
  });

  it.each([
    [{ retry: false, rebuyLost: false }, 'normal'],
    [{ retry: true, rebuyLost: false }, 'retry'],
    [{ retry: false, rebuyLost: true }, 'normal'],
  ] as const)('is taken again as the run was told: %o', (settings, kind) => {
    expect(roundMode(shard(), settings)).toEqual({ kind, rebuyLost: settings.rebuyLost, finalFrom: 1 });
  });
});

it('a job that is adopted has not been polled by this run', () => {
  expect(watching(shard({ jobs: 2 }), NO_ROWS, 5)).toMatchObject({
    jobs: 3,
    active: { key: 'key', rows: 5, takes: NO_ROWS, job: JOB, knownSince: 7, cancelAskedAt: null, polls: 0 },
  });
});
