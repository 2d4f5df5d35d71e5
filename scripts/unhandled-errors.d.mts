/** What vitest keeps of an error outside of any test; anything may have been thrown. */
export interface UnhandledError {
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  /** `Unhandled Rejection` or `Uncaught Exception`. */
  readonly type?: string;
  readonly VITEST_TEST_PATH?: string;
  readonly VITEST_TEST_NAME?: string;
}

export class UnhandledErrors {
  constructor(file: string);
  onTestRunEnd(testModules: unknown, unhandledErrors: readonly UnhandledError[]): void;
}

export function lineOf(error: UnhandledError): string;
