import type { ScheduleSpec } from '@temporalio/client';
import { parseDuration } from '../batch/duration.js';
import { cronProblem } from './cron.js';
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

/** The server looks for times until then (`maxCalendarYear` of its scheduler). */
const LAST_YEAR = 2100;

function interval(every: string): number {
  const milliseconds = parseDuration(every) ?? 0;
  if (milliseconds < 1000 || milliseconds % 1000 !== 0) {
    throw invalid(
      `every ${JSON.stringify(every)} must be a duration in whole seconds, such as "30m" or "1h"`,
    );
  }
  // Intervals are counted from 1970.
  const first = Math.ceil(Date.now() / milliseconds) * milliseconds;
  if (first < Date.UTC(LAST_YEAR, 0, 1)) return milliseconds;
  throw invalid(
    `every ${JSON.stringify(every)}: it would never run, as its first time lies beyond ${LAST_YEAR}; give a shorter interval`,
  );
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

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidInput', message);
}
