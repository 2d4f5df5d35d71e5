import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OpenJob, ShardAccount } from '../../batch/account.js';
import type { Failure } from '../../batch/failure-types.js';
import { NO_CONTROL, withCancel } from '../../batch/control.js';
import { addsUp, countRows, NO_ROWS, ROW_CLASSES, ROW_ERROR_TYPES } from '../../batch/rows.js';
import { initialShardState, toOpenJob, unansweredOf } from '../../batch/shard-state.js';
import { batchUnanswered, groupUnanswered, sumAccounts } from '../../batch/shard-sums.js';

function account(over: Partial<ShardAccount>): ShardAccount {
  return {
    shard: 0,
    rows: NO_ROWS,
    answered: 0,
    jobs: 0,
    failure: null,
    unanswered: 'missing',
    openJob: null,
    duplicates: [],
    ...over,
  };
}

function openJob(jobId: string): OpenJob {
  return { shard: 0, round: 1, jobId, status: 'RUNNING', createdAt: '2026-01-01T00:00:00.000Z', requests: 5 };
}

const REJECTED: Failure = { type: 'ProviderRejected', message: 'no such model' };
const FULL: Failure = { type: 'StorageFull', message: 'no space left' };

describe('the sums of a batch', () => {
  it('are zero without shards', () => {
    expect(sumAccounts([])).toEqual({
      rows: NO_ROWS,
      answered: 0,
      jobs: 0,
      failure: null,
      openJobs: [],
      duplicates: [],
    });
  });

  it('are those of its shards, with the first failure and every job that was left', () => {
    const sums = sumAccounts([
      account({ rows: countRows('succeeded', 3), answered: 3, jobs: 1, openJob: openJob('a') }),
      account({ rows: countRows('failed', 2), answered: 1, jobs: 2, failure: REJECTED }),
      account({ failure: FULL, duplicates: [openJob('b'), openJob('c')] }),
    ]);
    expect(sums).toEqual({
      rows: { ...NO_ROWS, total: 5, succeeded: 3, failed: 2 },
      answered: 4,
      jobs: 3,
      failure: REJECTED,
      openJobs: [openJob('a')],
      duplicates: [openJob('b'), openJob('c')],
    });
  });

  it('add up if the shards do', () => {
    const anyAccount = fc
      .tuple(fc.constantFrom(...ROW_CLASSES), fc.nat())
      .map(([rowClass, rows]) => account({ rows: countRows(rowClass, rows) }));
    fc.assert(
      fc.property(fc.array(anyAccount), (accounts) => {
        const { rows } = sumAccounts(accounts);
        expect(addsUp(rows)).toBe(true);
        expect(rows.total).toBe(accounts.reduce((sum, one) => sum + one.rows.total, 0));
      }),
    );
  });
});

describe('rows that nothing was said about', () => {
  it.each([
    ['a cancel', true, true, REJECTED, 'cancelled'],
    ['a deadline', false, true, REJECTED, 'expired'],
    ['a refusal', false, false, REJECTED, 'job_failed'],
    ['a failure of the store', false, false, FULL, 'missing'],
    ['nothing in particular', false, false, null, 'missing'],
  ] as const)(
    'after %s end alike in a shard and in a batch',
    (_, cancelled, deadlinePassed, failure, error) => {
      const state = cancelled ? withCancel(NO_CONTROL, {}, 'message') : NO_CONTROL;
      expect(batchUnanswered({ cancelled, deadlinePassed, failure })).toBe(error);
      expect(unansweredOf({ deadlinePassed, state }, failure)).toBe(error);
    },
  );

  it('are grouped by their error where it is not the usual one', () => {
    const accounts = [
      account({ shard: 2, unanswered: 'job_failed' }),
      account({ shard: 0 }),
      account({ shard: 3, unanswered: 'cancelled' }),
      account({ shard: 1, unanswered: 'job_failed' }),
    ];
    expect(groupUnanswered(accounts, 'missing')).toEqual([
      { error: 'job_failed', shards: [1, 2] },
      { error: 'cancelled', shards: [3] },
    ]);
  });

  it('are each in one group or in none, whatever the order of the shards', () => {
    const anyError = fc.constantFrom(...ROW_ERROR_TYPES);
    fc.assert(
      fc.property(fc.array(anyError), anyError, (errors, usual) => {
        const accounts = errors.map((unanswered, shard) => account({ shard, unanswered }));
        const groups = groupUnanswered(accounts.toReversed(), usual);
        const expected = errors.flatMap((error, shard) => (error === usual ? [] : [`${shard} ${error}`]));
        const found = groups.flatMap(({ error, shards }) => shards.map((shard) => `${shard} ${error}`));
        expect(found.toSorted()).toEqual(expected.toSorted());
        expect(new Set(groups.map(({ error }) => error)).size).toBe(groups.length);
      }),
    );
  });
});

describe('a shard', () => {
  it('begins at round 1, with what the batch was told before', () => {
    const control = { ...withCancel(NO_CONTROL, {}, 'request'), paused: true };
    const state = initialShardState(control);
    expect(state).toMatchObject({
      round: 1,
      begun: 0,
      finalFrom: null,
      rows: NO_ROWS,
      active: null,
      control,
    });
  });

  it('carries its whole memory through continue-as-new, which is JSON', () => {
    const state = initialShardState(NO_CONTROL);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  it('leaves a job with its last status, its time as ISO 8601 in UTC', () => {
    const job = {
      jobId: 'a',
      phase: 'running',
      status: 'RUNNING',
      counts: { total: 9, completed: 0, succeeded: 0, failed: 0 },
      outputFile: null,
      errorFile: null,
      createdAt: Date.UTC(2026, 0, 1),
      completedAt: null,
    } as const;
    expect(toOpenJob(0, 1, job, 5)).toEqual(openJob('a'));
  });
});
