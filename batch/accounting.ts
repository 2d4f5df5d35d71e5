import type { RoundSums } from './account.js';
import { addsUp, ROW_CLASSES, subtractCounts } from './rows.js';
import type { RowCounts } from './rows.js';

/*
 * Whether sums that were counted in different places can be true together. Each returns what is wrong, or null: rows
 * that were lost or counted twice must end a batch loudly, wherever they were lost.
 */

/** A closed round of a shard whose rows counted as `before`; `sent`: rows of the round, where they are known. */
export function roundProblem(sums: RoundSums, before: RowCounts, sent: number | null): string | null {
  const { rows, takes, answered, retryable } = sums;
  if (!addsUp(rows)) return `its rows do not add up: ${words(rows)}`;
  if (sent !== null && rows.total !== sent)
    return `${sent} rows were sent and ${rows.total} are accounted for`;
  if (rows.invalid > 0) return 'it has rows that are invalid, which are never sent';
  if (answered < rows.succeeded || answered > rows.total) {
    return `${answered} of ${rows.total} rows were answered and ${rows.succeeded} succeeded`;
  }
  if (retryable < 0 || retryable > rows.total - rows.succeeded) {
    return `${retryable} rows are to be sent again and ${rows.total - rows.succeeded} did not succeed`;
  }
  if (!addsUp(takes) || takes.succeeded > 0 || takes.invalid > 0) {
    return `it took rows that no round may take: ${words(takes)}`;
  }
  // A shard's first round has all of its rows, later ones only rows that an earlier one had.
  if (takes.total !== (before.total === 0 ? 0 : rows.total)) {
    return `it has ${rows.total} rows and took ${takes.total} from earlier rounds`;
  }
  return addsUp(subtractCounts(before, takes)) ? null : `it took ${words(takes)} out of ${words(before)}`;
}

export interface BatchCounts {
  /** Rows of the input, and how many of them are invalid. */
  readonly planned: { readonly rows: number; readonly invalid: number };
  /** The shards' own sums. */
  readonly counted: RowCounts;
  /** Every shard has come to its end, and nothing was left undone. */
  readonly whole: boolean;
  /** What stands in the results. */
  readonly written: RowCounts;
}

/**
 * The shards' sums and the rows that were written are counted apart and must agree. A batch that was cut short may
 * find more answers in its store than its shards have come to: those of earlier runs.
 */
export function batchProblem({ planned, counted, whole, written }: BatchCounts): string | null {
  if (!addsUp(written)) return `the results do not add up: ${words(written)}`;
  if (written.total !== planned.rows)
    return `the input has ${planned.rows} rows and the results ${written.total}`;
  if (written.invalid !== planned.invalid) {
    return `${planned.invalid} rows are invalid and the results say ${written.invalid}`;
  }
  if (!addsUp(counted)) return `the shards' sums do not add up: ${words(counted)}`;
  if (counted.total + planned.invalid > planned.rows) {
    return `the shards count ${counted.total} rows of ${planned.rows - planned.invalid}`;
  }
  if (counted.succeeded > written.succeeded) {
    return `the shards count ${counted.succeeded} rows as succeeded, the results ${written.succeeded}`;
  }
  if (!whole) return null;
  const sent = { ...written, total: written.total - written.invalid, invalid: 0 };
  const differs = ROW_CLASSES.some((rowClass) => counted[rowClass] !== sent[rowClass]);
  return differs ? `the shards count ${words(counted)} and the results ${words(sent)}` : null;
}

function words(rows: RowCounts): string {
  const classes = ROW_CLASSES.filter((rowClass) => rows[rowClass] !== 0);
  return `${classes.map((rowClass) => `${rows[rowClass]} ${rowClass}`).join(', ') || 'no rows'} of ${rows.total}`;
}
