import type { OpenJob, ShardAccount } from './account.js';
import { isStorageFailure } from './failure-types.js';
import type { Failure } from './failure-types.js';
import { addCounts, NO_ROWS } from './rows.js';
import type { RowCounts, RowErrorType } from './rows.js';

export interface ShardSums {
  readonly rows: RowCounts;
  readonly answered: number;
  readonly jobs: number;
  readonly failure: Failure | null;
  readonly openJobs: readonly OpenJob[];
  readonly duplicates: readonly OpenJob[];
}

/** Adds up what the shards say. */
export function sumAccounts(accounts: readonly ShardAccount[]): ShardSums {
  let rows = NO_ROWS;
  let answered = 0;
  let jobs = 0;
  let failure: Failure | null = null;
  const openJobs: OpenJob[] = [];
  const duplicates: OpenJob[] = [];
  for (const account of accounts) {
    rows = addCounts(rows, account.rows);
    answered += account.answered;
    jobs += account.jobs;
    failure = graver(failure, account.failure);
    if (account.openJob !== null) openJobs.push(account.openJob);
    duplicates.push(...account.duplicates);
  }
  return { rows, answered, jobs, failure, openJobs, duplicates };
}

/** The first failure speaks for all, but for sums that can't be true: these are a bug, which nothing may cover up. */
export function graver(first: Failure | null, next: Failure | null): Failure | null {
  const isBug = next?.type === 'AccountingMismatch' && first?.type !== 'AccountingMismatch';
  return first === null || isBug ? next : first;
}

/** Whether all shards have come to their ends and each row of them has a last word from a closed round. */
export function isWhole(accounts: readonly ShardAccount[], shards: number): boolean {
  return (
    accounts.length === shards &&
    // A shard that was cancelled, or ran out of time, says so by what becomes of its rows.
    accounts.every(
      ({ failure, openJob, unanswered }) => failure === null && openJob === null && unanswered === 'missing',
    )
  );
}

/**
 * What becomes of rows that nobody spoke of: a shard was never begun, ended without an account, or never came to them.
 */
export function batchUnanswered(facts: {
  readonly cancelled: boolean;
  readonly deadlinePassed: boolean;
  readonly failure: Failure | null;
}): RowErrorType {
  if (facts.cancelled) return 'cancelled';
  if (facts.deadlinePassed) return 'expired';
  return facts.failure !== null && !isStorageFailure(facts.failure.type) ? 'job_failed' : 'missing';
}

/** The shards whose rows without an answer end otherwise than the batch's: a short list in a short payload. */
export function groupUnanswered(
  accounts: readonly ShardAccount[],
  usual: RowErrorType,
): { error: RowErrorType; shards: number[] }[] {
  const groups = new Map<RowErrorType, number[]>();
  for (const { shard, unanswered } of accounts) {
    if (unanswered === usual) continue;
    const shards = groups.get(unanswered);
    if (shards === undefined) groups.set(unanswered, [shard]);
    else shards.push(shard);
  }
  return [...groups].map(([error, shards]) => ({ error, shards: shards.toSorted((a, b) => a - b) }));
}
