import { CommanderError } from 'commander';
import { expect, it } from 'vitest';
import { BatchError } from '../../activities/batch-error.js';
import { OUTCOMES } from '../../batch/outcome.js';
import { CliError, describeReport, failureDocument, reportOf } from '../../cli/errors.js';
import { exitCodeOf } from '../../cli/exit-codes.js';
import { Interrupted } from '../../cli/interrupts.js';
import { LonghaulError } from '../../client/failures.js';
import { HomeConflictError, MissingBinaryError } from '../../dev/embedded.js';
import { ProviderError } from '../../providers/errors.js';
import { StorageError } from '../../storage/errors.js';

it('exits by outcome as the contract says', () => {
  expect(OUTCOMES.map((outcome) => [outcome, exitCodeOf(outcome)])).toEqual([
    ['succeeded', 0],
    ['partial', 3],
    ['cancelled', 5],
    ['failed', 4],
  ]);
});

it.each([
  [new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'"), 2, 'Usage'],
  [new CliError('no'), 2, 'Usage'],
  [new LonghaulError('InvalidInput', 'line 3 …'), 2, 'InvalidInput'],
  [new LonghaulError('FingerprintMismatch', 'another input'), 2, 'FingerprintMismatch'],
  [new LonghaulError('UnknownBatch', 'nobody knows'), 2, 'UnknownBatch'],
  [new BatchError('InvalidInput', 'endpoint'), 2, 'InvalidInput'],
  [new StorageError('InputNotAllowed', '/x', 'not there'), 2, 'InputNotAllowed'],
  [new HomeConflictError('another store'), 2, 'HomeConflict'],
  [new LonghaulError('TemporalUnavailable', 'away'), 4, 'TemporalUnavailable'],
  [new LonghaulError('BatchTerminated', 'killed'), 4, 'BatchTerminated'],
  [new StorageError('StorageFull', '/x', 'full'), 4, 'StorageFull'],
  [new ProviderError('ProviderAuth', '401', { effect: 'refused' }), 4, 'ProviderAuth'],
  [new MissingBinaryError('no temporal'), 4, 'MissingBinary'],
  [new Interrupted(), 130, 'Interrupted'],
] as const)('reports %s with exit code %i', (error, exitCode, type) => {
  const report = reportOf(error);
  expect(report).toMatchObject({ exitCode, type, unexpected: false });
  const text = describeReport(report, error, true);
  expect(text).not.toContain('error: ');
  expect(text).not.toMatch(/\n\s+at /);
});

it.each([
  new ProviderError('ProviderAuth', '401', { effect: 'refused' }),
  new ProviderError('ProviderQuota', '402', { effect: 'refused' }),
  new StorageError('StorageUnavailable', '/x', 'away'),
])('says of %s that a command itself met what to do without a batch', (error) => {
  expect(reportOf(error).remedy).toMatch(/run the same command again/);
});

it('says in words what the file system refused', () => {
  const error = Object.assign(new Error("EROFS: read-only file system, open '/home/x'"), {
    code: 'EROFS',
    syscall: 'open',
    path: '/home/x',
  });
  const report = reportOf(error);
  expect(report).toMatchObject({ exitCode: 4, unexpected: false });
  expect(report.message).toMatch(/^Can't use \/home\/x: the file system is read-only\. Use another place/);
});

it('repeats a long argument in part, and without the parser’s own words', () => {
  const value = 'x'.repeat(300);
  const error = new CommanderError(
    1,
    'commander.invalidArgument',
    `error: command-argument value '${value}' is invalid for argument 'batch id'. Look here.`,
  );
  expect(reportOf(error).message).toBe(`"${'x'.repeat(40)}…" is no batch id: Look here.`);
});

it('says what to do beside what happened', () => {
  const error = new LonghaulError('NotSetUp', 'attributes are missing');
  expect(describeReport(reportOf(error), error, false)).toBe(
    'attributes are missing\nRun `longhaul setup` once.',
  );
  expect(failureDocument(reportOf(error))).toEqual({
    failure: { type: 'NotSetUp', message: 'attributes are missing', remedy: 'Run `longhaul setup` once.' },
  });
});

it('asks to report a bug, and shows where it was only when debugging', () => {
  const error = new TypeError('x is not a function');
  const report = reportOf(error);
  expect(report).toMatchObject({ exitCode: 4, unexpected: true });
  expect(describeReport(report, error, false)).not.toMatch(/\n\s+at /);
  expect(describeReport(report, error, true)).toMatch(/\n\s+at /);
  expect(describeReport(report, error, false)).toContain('LONGHAUL_LOG_LEVEL=debug');
});
