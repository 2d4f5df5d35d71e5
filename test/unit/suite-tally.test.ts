import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closingLine, tallySuite } from '../../scripts/suite-tally.mjs';
import { lineOf } from '../../scripts/unhandled-errors.mjs';

const report = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [
    { status: 'passed', name: 'a.test.ts', assertionResults: [{ status: 'passed', fullName: 'is read' }] },
  ],
};
const failedFile = { status: 'failed', name: 'b.test.ts', assertionResults: [] };
const failedTest = {
  status: 'failed',
  name: join(process.cwd(), 'test/unit/some.test.ts'),
  assertionResults: [
    { status: 'failed', fullName: 'a file is read', failureMessages: ['Error: expected 1\n  to be 2'] },
    { status: 'passed', fullName: 'a file is written' },
  ],
};

describe('the tally of a suite', () => {
  it.each([
    ['tests that passed', report, 0, 3, 0],
    ['a failed test', { ...report, numFailedTests: 1, testResults: [failedTest] }, 1, 3, 1],
    ['a file that could not be loaded', { ...report, testResults: [failedFile] }, 1, 3, 1],
    ['skipped tests and todos', { ...report, numPendingTests: 2, numTodoTests: 1 }, 0, 3, 3],
    ['no tests', { ...report, numPassedTests: 0, testResults: [] }, 0, 0, 1],
    ['an error outside of any test', report, 1, 3, 1],
    ['a runner that was killed', report, null, 3, 1],
    ['a runner without a report', null, 1, 0, 1],
  ])('counts %s', (_, given, exitCode, passed, failed) => {
    const tally = tallySuite(given, exitCode);
    expect(tally).toMatchObject({ passed, failed });
    expect(tally.notes.length > 0).toBe(failed > 0);
  });

  it('names each failed test, where it is and what it said', () => {
    const given = { ...report, numFailedTests: 1, testResults: [failedTest] };
    expect(tallySuite(given, 1).notes).toEqual([
      'not ok: test/unit/some.test.ts: a file is read: Error: expected 1 to be 2',
    ]);
  });

  it('names a file that failed as a whole, and why', () => {
    const message = 'Error: the server\n did not start';
    const given = { ...report, testResults: [{ ...failedFile, message }] };
    expect(tallySuite(given, 1).notes).toContain(
      'not ok: b.test.ts: as a whole: Error: the server did not start',
    );
  });

  it('names the errors outside of any test last, what happened and where', () => {
    const line = lineOf({
      type: 'Unhandled Rejection',
      name: 'StorageError',
      message: 'the disk\nis gone',
      stack: 'StorageError: the disk\n    at node:fs:1\n    at read (/src/storage/file.ts:3:4)\n    at run',
      VITEST_TEST_PATH: join(process.cwd(), 'test/unit/some.test.ts'),
      VITEST_TEST_NAME: 'reads',
    });
    expect(line).toBe(
      'Unhandled Rejection: StorageError: the disk is gone at read (/src/storage/file.ts:3:4) [test/unit/some.test.ts] [reads]',
    );
    expect(tallySuite(report, 1, [line]).notes.at(-1)).toBe(line);
    expect(lineOf({})).toBe('unhandled: Error: [object Object]');
  });

  it('ends in one line over all suites', () => {
    expect(closingLine([tallySuite(report, 0), tallySuite(null, 1), tallySuite(report, 0)])).toBe(
      '6 passed, 1 failed',
    );
  });
});
