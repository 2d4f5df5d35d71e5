import { InvalidArgumentError } from 'commander';
import { batchIdProblem, scheduleIdProblem } from '../batch/batch-id.js';
import { parseDuration } from '../batch/duration.js';
import { parseSize } from '../batch/size.js';

/*
 * Parsers for commander's options: each gives the value or throws InvalidArgumentError, whose message commander
 * completes with the option's name.
 */

export function durationOption(text: string): string {
  const milliseconds = parseDuration(text);
  if (milliseconds === 0) throw new InvalidArgumentError('It has to be above zero.');
  if (milliseconds !== null) return text;
  throw new InvalidArgumentError('Write a duration such as 5s, 10m or 24h.');
}

export function sizeOption(text: string): string {
  if ((parseSize(text) ?? 0) > 0) return text;
  throw new InvalidArgumentError('Write a size such as 256MB or 1GiB, or a number of bytes.');
}

export function positiveIntegerOption(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Write a whole number from 1.');
}

export function integerOption(text: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Write a whole number.');
}

export function nonNegativeNumberOption(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write a number from 0.');
}

export function shareOption(text: string): number {
  const value = nonNegativeNumberOption(text);
  if (value <= 1) return value;
  throw new InvalidArgumentError('Write a share from 0 to 1.');
}

export function portOption(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('Write a port from 0 to 65535; 0 takes a free one.');
}

/** The id of a batch that is there: one that can't be is not worth a suggestion. */
export function batchIdArgument(text: string): string {
  if (batchIdProblem(text) === null) return text;
  throw new InvalidArgumentError('`longhaul list` shows those that there are.');
}

/** The id of a batch to be. */
export function newBatchIdOption(text: string): string {
  const problem = batchIdProblem(text);
  if (problem === null) return text;
  throw new InvalidArgumentError(`${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`);
}

export function newScheduleIdArgument(text: string): string {
  const problem = scheduleIdProblem(text);
  if (problem === null) return text;
  throw new InvalidArgumentError(`${problem}.`);
}

/** A moment in time, as ISO 8601. */
export function timeOption(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Write a time such as 2026-11-22T12:00:00Z.');
}

/** Collects `--metadata k=v --metadata k2=v2`. Only the first `=` divides: values may have more. */
export function pairOption(
  text: string,
  pairs: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write key=value.');
  if (equals === text.length - 1) throw new InvalidArgumentError('The value is empty; write key=value.');
  const key = text.slice(0, equals);
  if (Object.hasOwn(pairs, key)) throw new InvalidArgumentError(`The key ${key} is given twice.`);
  return { ...pairs, [key]: text.slice(equals + 1) };
}
