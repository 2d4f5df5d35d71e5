import { relative } from 'node:path';

/** What is kept of a failure's message: enough to know it again. */
const MESSAGE_CHARACTERS = 300;

/**
 * What a run of one suite comes to, by vitest's JSON report.
 *
 * Everything that is not a test that ran and passed counts as failed: a skipped test, a file that could not be
 * loaded, a suite without tests, a runner that died before it wrote its report, or one that reported success and
 * then ended with an error (an unhandled rejection). All of these are named in the notes, as a log is read from its end.
 */
export function tallySuite(report, exitCode, unhandled = []) {
  if (report === null)
    return {
      passed: 0,
      failed: 1,
      notes: [`ended with exit code ${exitCode}, without a report`, ...unhandled],
    };
  const notes = failedTests(report);
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  const broken = brokenFiles.length;
  notes.push(...brokenFiles.map(({ name, message }) => noteOf(name, 'as a whole', message)));
  const skipped = report.numPendingTests + report.numTodoTests;
  if (broken > 0) notes.push(`${broken} test file(s) failed as a whole`);
  if (skipped > 0) notes.push(`${skipped} skipped, which counts as failed`);
  const passed = report.numPassedTests;
  let failed = report.numFailedTests + broken + skipped;
  if (passed + failed === 0) {
    notes.push('ran no tests, which counts as one failed');
    failed = 1;
  }
  if (failed === 0 && exitCode !== 0) {
    notes.push(`ended with exit code ${exitCode} though no test failed: see the errors above`);
    failed = 1;
  }
  notes.push(...unhandled);
  return { passed, failed, notes };
}

/** A line for each test that failed: where it is, its name, the beginning of what it said. */
function failedTests({ testResults }) {
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => noteOf(name, fullName, failureMessages?.[0])),
  );
}

function noteOf(file, what, message = '') {
  const words = message.replaceAll(/\s+/g, ' ').slice(0, MESSAGE_CHARACTERS);
  return `not ok: ${relative(process.cwd(), file)}: ${what}: ${words}`;
}

/** The line that ends every run of tests. */
export function closingLine(tallies) {
  const sum = (key) => tallies.reduce((total, tally) => total + tally[key], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed`;
}
