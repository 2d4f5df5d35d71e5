import type { JobSnapshot } from './job-snapshot.js';

/** One download of all of a job's result files. */
export interface OutputReading {
  /** Over the bytes of all files. */
  readonly sha256: string;
  /** Lines of all files, whatever they say. */
  readonly lines: number;
  /** A file whose length nobody said ended in the middle of a line. */
  readonly cutOff: boolean;
  /** A file was longer than the provider says that it is. */
  readonly oversized: boolean;
}

/** A result file may take this long to show after its job's end; a 404 within it is no loss. */
const SHOWS_WITHIN_MS = 60_000;
/** Bounds the wait if the provider's clock is ahead of ours. */
const LOOKS = 7;
const NEXT_LOOK_MS = 10_000;

/** What is called gone is bought again, or never: one wrong 404 must not decide that, however old the file. */
const LEAST_LOOKS = 3;
const NEXT_LOOK_AT_OLD_MS = 2_000;

/**
 * When to look again for a file that a job names and the provider does not know; null: it is gone. Only looks that found
 * it missing count: after an outage the first of them decides nothing either.
 */
export function nextFileLookMs(look: {
  readonly looks: number;
  /** When the job ended, and now; Unix milliseconds. */
  readonly endedAt: number | null;
  readonly now: number;
}): number | null {
  if (look.looks >= LOOKS) return null;
  if (look.endedAt === null || look.now - look.endedAt < SHOWS_WITHIN_MS) return NEXT_LOOK_MS;
  return look.looks < LEAST_LOOKS ? NEXT_LOOK_AT_OLD_MS : null;
}

/** A reading that looks like a part is believed when the same bytes came so many times in a row. */
const BELIEVED_AFTER = 3;
/** Where a file is not even named yet; one minute, as long as one that is named has to show. */
const BELIEVED_UNNAMED_AFTER = 16;
/** Where the bytes are others each time, as from a provider that puts lines in another order: two minutes. */
const BELIEVED_AT_LAST_AFTER = 30;
const NEXT_READING_MS = 4_000;
/** Soon, for a cut; later, for lines that are slow to show. */
const SECOND_READING_MS = 1_000;

/** What a job says of its own end, which may not be all there yet. */
export type EndedJob = Pick<JobSnapshot, 'phase' | 'counts' | 'outputFile' | 'errorFile' | 'completedAt'>;

/**
 * When to download again what may lack lines that the provider has; null: it is believed. It ends in the middle of a
 * line, is longer than is said, or has fewer lines than the job counts as done. A row that is called missing is bought
 * again, so such a download is repeated: it was cut off on its way, or some lines are slow to show. Counters may be wrong
 * too, so the same bytes are believed in the end, and so are other bytes that have no more lines.
 */
export function nextReadingMs(
  readings: readonly OutputReading[],
  { job, rows, now }: { readonly job: EndedJob; readonly rows: number; readonly now: number },
): number | null {
  const last = readings.at(-1);
  const next = readings.length <= 1 ? SECOND_READING_MS : NEXT_READING_MS;
  if (last === undefined) return next;
  const done = Math.min(job.counts.succeeded + job.counts.failed, rows);
  if (!last.cutOff && !last.oversized && last.lines >= done) return null;
  const wanted = mayStillName(job, now) ? BELIEVED_UNNAMED_AFTER : BELIEVED_AFTER;
  const latest = readings.slice(-wanted);
  if (isAtItsMost(readings, last)) return null;
  return latest.length === wanted && latest.every(({ sha256 }) => sha256 === last.sha256) ? null : next;
}

/** It is looked at for long, and has as many whole lines as any of them had. */
function isAtItsMost(readings: readonly OutputReading[], last: OutputReading): boolean {
  if (last.cutOff || readings.length < BELIEVED_AT_LAST_AFTER) return false;
  return readings.every(({ lines }) => lines <= last.lines);
}

/** A job that has just ended and counts rows for which it names no file. */
function mayStillName({ phase, counts, outputFile, errorFile, completedAt }: EndedJob, now: number): boolean {
  if (phase !== 'succeeded') return false;
  const isUnnamed =
    (counts.succeeded > 0 && outputFile === null) || (counts.failed > 0 && errorFile === null);
  return isUnnamed && (completedAt === null || now - completedAt < SHOWS_WITHIN_MS);
}
