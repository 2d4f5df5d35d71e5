/** The part of vitest's JSON report that is read. */
export interface SuiteReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    /** The test file. */
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

export interface SuiteTally {
  readonly passed: number;
  readonly failed: number;
  readonly notes: readonly string[];
}

export function tallySuite(
  report: SuiteReport | null,
  exitCode: number | null,
  /** A line for each error outside of any test. */
  unhandled?: readonly string[],
): SuiteTally;
export function closingLine(tallies: readonly SuiteTally[]): string;
