import type { ScheduleSpec } from '@temporalio/client';
import { parseDuration } from '../batch/duration.js';
import { LonghaulError } from './failures.js';
import type { ScheduleOptions } from './types.js';

/** When the batches of a schedule start. */
export function scheduleSpec({
  cron,
  every,
  timezone,
}: Pick<ScheduleOptions, 'cron' | 'every' | 'timezone'>): ScheduleSpec {
  if ((cron === undefined) === (every === undefined)) {
    throw invalid('a schedule has either cron ("0 6 * * *") or every ("1h")');
  }
  const zone = timezone === undefined ? {} : { timezone: timezoneName(timezone) };
  if (every !== undefined) return { intervals: [{ every: interval(every) }], ...zone };
  const problem = cronProblem(cron ?? '');
  if (problem !== null) throw invalid(`cron ${JSON.stringify(cron)}: ${problem}`);
  const text = (cron ?? '').trim();
  // The server keeps calendars, not the expression, and its comment.
  return { cronExpressions: [`${text} # ${text}`], ...zone };
}

function interval(every: string): number {
  const milliseconds = parseDuration(every) ?? 0;
  if (milliseconds >= 1000 && milliseconds % 1000 === 0) return milliseconds;
  throw invalid(`every ${JSON.stringify(every)} must be a duration in whole seconds, such as "30m" or "1h"`);
}

/** The zone's name as the server takes it, which is strict about upper and lower case. */
function timezoneName(given: string): string {
  const canonical = canonicalTimezone(given);
  if (canonical === null) {
    throw invalid(`${JSON.stringify(given)} is no time zone; write it as "Europe/Paris" or "UTC"`);
  }
  // For Intl a zone with several names has one; that of the caller is as good.
  return canonical.toLowerCase() === given.toLowerCase() ? canonical : given;
}

function canonicalTimezone(name: string): string | null {
  // Offsets such as "+02:00" are zones for Intl, not for the server.
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const FIELDS = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of the month', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  { name: 'day of the week', min: 0, max: 7, words: DAYS },
] as const;

type Field = (typeof FIELDS)[number];

const NICKNAMES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** What is wrong with a cron expression, or null: five fields of numbers, names, `*`, `a-b`, `/n` and lists. */
export function cronProblem(text: string): string | null {
  const cron = text.trim();
  if (cron.startsWith('@')) {
    return NICKNAMES.includes(cron.toLowerCase()) ? null : `it must be one of ${NICKNAMES.join(', ')}`;
  }
  const values = cron.split(/\s+/);
  if (cron === '' || values.length !== FIELDS.length) {
    return 'it must have five fields: minute, hour, day of the month, month, day of the week';
  }
  for (const [index, field] of FIELDS.entries()) {
    const value = values[index] ?? '';
    if (!value.split(',').every((part) => isPart(part, field))) {
      return `${JSON.stringify(value)} is no ${field.name}: ${field.min} to ${field.max}, "*", "a-b", "*/n" or a list of these`;
    }
  }
  return null;
}

function isPart(part: string, field: Field): boolean {
  const [range = '', step, ...rest] = part.split('/');
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return false;
  if (range === '*') return true;
  const [from = '', to, ...more] = range.split('-');
  if (more.length > 0) return false;
  const first = numberOf(from, field);
  const last = to === undefined ? first : numberOf(to, field);
  return first !== null && last !== null && first <= last;
}

function numberOf(text: string, { min, max, words }: Field): number | null {
  const word = words.findIndex((known) => known === text.toLowerCase());
  if (word !== -1) return word + min;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return value >= min && value <= max ? value : null;
}

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidInput', message);
}
