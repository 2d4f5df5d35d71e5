import type { RoundSums } from './account.js';
import { roundProblem } from './accounting.js';
import type { JobSnapshot } from './job-snapshot.js';
import type { RoundMode } from './round-selection.js';
import { addCounts, subtractCounts } from './rows.js';
import type { RowCounts } from './rows.js';
import type { ShardState } from './shard-state.js';

/*
 * What a round does to its shard's memory. Each function returns the parts that change. While a round's job is watched, its
 * rows count as nothing: what they counted as before is in `active.takes`.
 */

/** Which rows the shard's next round may take. */
export function roundMode(
  { round, finalFrom }: Pick<ShardState, 'round' | 'finalFrom'>,
  settings: { readonly retry: boolean; readonly rebuyLost: boolean },
): RoundMode {
  return {
    kind: settings.retry ? 'retry' : 'normal',
    rebuyLost: settings.rebuyLost,
    finalFrom: finalFrom ?? round,
  };
}

export interface Adoption {
  readonly key: string;
  /** Rows of the round. */
  readonly rows: number;
  /** What they count as so far. */
  readonly takes: RowCounts;
  readonly job: JobSnapshot;
  /** By this run: from such a round on, what is final binds it. */
  readonly seenAlive: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/** The open round has a job. */
export function adopted(
  state: ShardState,
  { key, rows, takes, job, seenAlive, now }: Adoption,
): Pick<ShardState, 'jobs' | 'rows' | 'finalFrom' | 'active'> {
  return {
    jobs: state.jobs + 1,
    rows: subtractCounts(state.rows, takes),
    finalFrom: state.finalFrom ?? (seenAlive ? state.round : null),
    active: {
      key,
      rows,
      takes,
      job,
      knownSince: now,
      seenAlive,
      cancelAskedAt: null,
      polls: 0,
      completedBefore: 0,
      nextPollAt: null,
    },
  };
}

/** The run ends before the round's job was collected: its rows count as before. */
export function left(state: ShardState): Pick<ShardState, 'rows'> {
  return { rows: rowsBefore(state) };
}

export type Absorbed =
  | ({ readonly problem: null } & Pick<
      ShardState,
      'rows' | 'answered' | 'failure' | 'finalFrom' | 'recheck' | 'active' | 'round'
    >)
  | ({ readonly problem: string } & Pick<ShardState, 'rows' | 'active'>);

/**
 * The round was collected with these sums. `own`: its key, and when that was listed at the job's end; null for a round whose
 * duplicates are not looked for again, such as one that an earlier run had collected. `problem`: why the sums can't be true.
 */
export function absorbed(
  state: ShardState,
  sums: RoundSums,
  own: { readonly key: string; readonly listedAt: number } | null,
): Absorbed {
  const { active, round, recheck } = state;
  const before = rowsBefore(state);
  const problem = roundProblem(sums, before, active?.rows ?? null);
  if (problem !== null) return { problem, rows: before, active: null };
  return {
    problem,
    rows: addCounts(subtractCounts(before, sums.takes), sums.rows),
    answered: state.answered + sums.answered,
    failure: sums.failure,
    finalFrom: state.finalFrom ?? (active?.seenAlive === true ? round : null),
    recheck: own === null ? recheck : [...recheck, { round, ...own }],
    active: null,
    round: round + 1,
  };
}

function rowsBefore({ rows, active }: ShardState): RowCounts {
  return active === null ? rows : addCounts(rows, active.takes);
}
