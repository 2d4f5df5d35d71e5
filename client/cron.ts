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
    const step = largestStep(value);
    // Temporal takes every 90 minutes for every hour.
    if (step > field.max - field.min) {
      return `the ${field.name}’s step of ${step} leads out of its range, so it would stand for its first value alone; give at most ${field.max - field.min}, or an interval instead of cron`;
    }
  }
  return hasDate(values[2] ?? '', values[3] ?? '')
    ? null
    : 'it would never run, as no such month has such a day';
}

/** February's 29th is a day. */
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether there is a date of these; days of the week come round to each sooner or later. */
function hasDate(days: string, months: string): boolean {
  const [first] = valuesOf(days, FIELDS[2]);
  return valuesOf(months, FIELDS[3]).some((month) => (DAYS_OF_MONTH[month - 1] ?? 0) >= (first ?? 0));
}

/** In rising order. */
function valuesOf(text: string, field: Field): readonly number[] {
  const all = Array.from({ length: field.max - field.min + 1 }, (_, at) => field.min + at);
  return all.filter((value) => text.split(',').some((part) => isIn(value, part, field)));
}

function isIn(value: number, part: string, field: Field): boolean {
  const [range = '', step] = part.split('/');
  const [from = '', to] = range.split('-');
  const first = range === '*' ? field.min : (numberOf(from, field) ?? field.max);
  // A single value with a step goes on to the end of the range.
  const last =
    to === undefined ? (range === '*' || step !== undefined ? field.max : first) : numberOf(to, field);
  return value >= first && value <= (last ?? field.max) && (value - first) % Number(step ?? 1) === 0;
}

function largestStep(value: string): number {
  return Math.max(...value.split(',').map((part) => Number(part.split('/')[1] ?? 1)));
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
