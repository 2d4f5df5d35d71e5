import type { DemandedError, RenderedRow } from './render-row.js';

/** What a job's faults do to its result files. */
export interface RowEdits {
  /** Lines that stand before all rows of the output file. */
  readonly prologue: readonly string[];
  readonly demandedError: DemandedError;
  /** The lines written in place of a row's line: usually that line, none for a row that goes missing. */
  readonly edit: (row: RenderedRow, index: number) => readonly string[];
  readonly lineEnd: string;
  /** Whether a file's last line has an end too. */
  readonly lastLineEnd: boolean;
  readonly failuresInOutput: boolean;
}
