import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A reporter for vitest, whose JSON report leaves them out: writes the errors outside of any test to a file. */
export class UnhandledErrors {
  #file;

  constructor(file) {
    this.#file = file;
  }

  onTestRunEnd(_testModules, unhandledErrors) {
    writeFileSync(this.#file, JSON.stringify(unhandledErrors.map(lineOf)));
  }
}

/** What happened, where, and during which test: in one line, for the end of a log. */
export function lineOf(error) {
  const name = error.name ?? 'Error';
  const message = String(error.message ?? error).replaceAll(/\s+/g, ' ');
  const frame = String(error.stack ?? '')
    .split('\n')
    .find((line) => /^\s+at /.test(line) && !/node:|node_modules/.test(line));
  const place = frame === undefined ? '' : ` ${frame.trim()}`;
  const path = error.VITEST_TEST_PATH;
  const file = path === undefined ? '' : ` [${relative(process.cwd(), path)}]`;
  const test = error.VITEST_TEST_NAME === undefined ? '' : ` [${error.VITEST_TEST_NAME}]`;
  return `${error.type ?? 'unhandled'}: ${name}: ${message}${place}${file}${test}`;
}
