import type { JobAccount } from './account.js';
import type { Failure } from './failure-types.js';
import type { Outcome } from './outcome.js';
import type { BatchPhase } from './progress.js';
import type { RowCounts } from './rows.js';

/** A file in the store, with what proves that it is whole. */
export interface FileReference {
  readonly uri: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The account of a finished batch, `manifest.json`. While a batch runs the same shape carries live numbers,
 * and null for what is not known yet. Times are ISO 8601 UTC.
 */
export interface Manifest {
  readonly batchId: string;
  readonly generation: number | null;
  readonly outcome: Outcome | null;
  readonly phase: BatchPhase;
  readonly provider: string | null;
  readonly endpoint: string | null;
  readonly model: string | null;
  readonly input: {
    readonly uri: string;
    readonly rows: number | null;
    readonly bytes: number | null;
    readonly sha256: string | null;
  } | null;
  readonly rows: RowCounts;
  readonly jobs: readonly JobAccount[];
  readonly usage: Readonly<Record<string, number>>;
  readonly results: FileReference | null;
  readonly errors: FileReference | null;
  readonly failure: Failure | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

/** What the workflow's result and memo say of the manifest: a payload is at most 2 MB, a manifest may be more. */
export interface BatchSummary {
  readonly batchId: string;
  readonly generation: number | null;
  readonly outcome: Outcome;
  readonly rows: RowCounts;
  readonly jobs: number;
  readonly manifest: { readonly uri: string; readonly sha256: string } | null;
  readonly failure: Failure | null;
}
