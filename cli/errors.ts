import { CommanderError } from 'commander';
import { BatchError } from '../activities/batch-error.js';
import { sayableMessage, sayableStack } from '../batch/failure-text.js';
import { isFailureType, remedyOf } from '../batch/failure-types.js';
import type { FailureType } from '../batch/failure-types.js';
import { LonghaulError } from '../client/failures.js';
import type { LonghaulErrorType } from '../client/failures.js';
import {
  EmbeddedServerError,
  HomeConflictError,
  MissingBinaryError,
  SupervisorVersionError,
} from '../dev/embedded.js';
import { ProviderError } from '../providers/errors.js';
import { StorageError } from '../storage/errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { ReportedType } from './failures.js';
import { Interrupted } from './interrupts.js';

/** A mistake that a command finds by itself: wrong usage, or a place that can't be used. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly type: ReportedType;
  readonly exitCode: ExitCode;

  constructor(message: string, options: { readonly type?: ReportedType; readonly exitCode?: ExitCode } = {}) {
    super(message);
    this.type = options.type ?? 'Usage';
    this.exitCode = options.exitCode ?? EXIT.usage;
  }
}

/** What is said of a failure, as text and as `failure` of a JSON document. */
export interface FailureReport {
  readonly type: ReportedType;
  readonly message: string;
  /** What to do about it; null when the message says so itself. */
  readonly remedy: string | null;
  readonly exitCode: ExitCode;
  /** A bug of Longhaul, not something that a user can put right. */
  readonly unexpected: boolean;
}

/** The caller's: found before anything was sent. */
const USAGE_TYPES: ReadonlySet<LonghaulErrorType> = new Set<LonghaulErrorType>([
  'InvalidInput',
  'DuplicateCustomId',
  'InputTooLarge',
  'InputNotAllowed',
  'FingerprintMismatch',
  'UnknownBatch',
  'UnknownSchedule',
  'ScheduleExists',
]);

export function reportOf(error: unknown): FailureReport {
  if (error instanceof Interrupted) return known('Interrupted', error.message, EXIT.detached);
  if (error instanceof CliError) return known(error.type, error.message, error.exitCode);
  if (error instanceof LonghaulError) return typed(error.type, error.message, error.remedy);
  if (error instanceof StorageError || error instanceof ProviderError || error instanceof BatchError) {
    // Met by the command itself: there is no open batch that it could tell to go on.
    return typed(error.type, error.message, remedyOf(error.type, 'ended'));
  }
  if (error instanceof HomeConflictError) return known('HomeConflict', error.message, EXIT.usage);
  if (error instanceof EmbeddedServerError) return known('EmbeddedServer', error.message, EXIT.failed);
  if (error instanceof SupervisorVersionError) return known('SupervisorVersion', error.message, EXIT.failed);
  if (error instanceof MissingBinaryError) return known('MissingBinary', error.message, EXIT.failed);
  if (error instanceof CommanderError) return known('Usage', usageMessage(error), EXIT.usage);
  const place = placeProblem(error);
  if (place !== null) return known('PlaceNotUsable', place, EXIT.failed);
  const message = error instanceof Error ? sayableMessage(error) : 'something else than an error was thrown';
  return { type: 'Unexpected', message, remedy: null, exitCode: EXIT.failed, unexpected: true };
}

/** The lines that stderr gets. Only a bug is asked to be reported, and only debugging shows where it was. */
export function describeReport(report: FailureReport, error: unknown, debug: boolean): string {
  if (!report.unexpected) {
    return report.remedy === null ? report.message : `${report.message}\n${report.remedy}`;
  }
  const lines = [
    `unexpected: ${report.message}`,
    'This is a bug in Longhaul. Please report it with the command you called' +
      (debug ? ' and the lines below.' : ' and what LONGHAUL_LOG_LEVEL=debug adds.'),
  ];
  if (debug && error instanceof Error) lines.push(sayableStack(error));
  return lines.join('\n');
}

/** What `--json` prints instead of an account: `failure` as it stands in a manifest, with the remedy beside it. */
export function failureDocument({ type, message, remedy }: FailureReport): Record<string, unknown> {
  return { failure: { type, message, ...(remedy === null ? {} : { remedy }) } };
}

function typed(type: LonghaulErrorType, message: string, remedy: string | null): FailureReport {
  const exitCode = USAGE_TYPES.has(type) ? EXIT.usage : EXIT.failed;
  const said = (isFailureType(type) && saysRemedy(type)) || remedy === message;
  return { type, message, remedy: said ? null : remedy, exitCode, unexpected: false };
}

/** Failures whose messages end with what to do: it depends on what of several things happened. */
const SAY_REMEDY: ReadonlySet<FailureType> = new Set<FailureType>([
  'InvalidInput',
  'DuplicateCustomId',
  'InputNotAllowed',
  'FingerprintMismatch',
  'StorageDenied',
  'StorageMismatch',
]);

export function saysRemedy(type: FailureType): boolean {
  return SAY_REMEDY.has(type);
}

function known(type: ReportedType, message: string, exitCode: ExitCode): FailureReport {
  return { type, message, remedy: null, exitCode, unexpected: false };
}

function usageMessage(error: CommanderError): string {
  return error.message
    .replace(/^error: /, '')
    .replace(
      /^command-argument value '([^]*)' is invalid for argument '([^']*)'\. /,
      (_, value: string, name: string) => `${JSON.stringify(clipped(value))} is no ${name}: `,
    );
}

function clipped(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}

const PLACE_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['EROFS', 'the file system is read-only. Use another place, or have it mounted for writing'],
  ['ENOSPC', 'no space is left. Free some and try again'],
  ['EDQUOT', 'the disk quota is used up. Free some space and try again'],
  ['EACCES', 'permission is denied. Use another place, or have the rights given'],
  ['EPERM', 'permission is denied. Use another place, or have the rights given'],
  ['ENOTDIR', 'a part of the path is a file'],
  ['EMFILE', 'too many files are open. Raise the limit (`ulimit -n`) and try again'],
]);

/** What the file system refused to this command itself, in its home or in a temporary folder; null for other errors. */
function placeProblem(error: unknown): string | null {
  if (!(error instanceof Error) || !('path' in error) || !('code' in error)) return null;
  const problem = PLACE_PROBLEMS.get(String(error.code));
  return problem === undefined ? null : `Can't use ${String(error.path)}: ${problem}.`;
}
