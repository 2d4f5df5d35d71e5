import type { JobCounts } from './job-phase.js';

/** One download of all of a job's result files. */
export interface OutputReading {
  /** Over the bytes of all files. */
  readonly sha256: string;
  /** Lines of all files, whatever they say. */
  readonly lines: number;
  /** A file whose length nobody said ended in the middle of a line. */
  readonly cutOff: boolean;
}

/** A result file may take this long to show after its job's end; a 404 within it is no loss. */
const SHOWS_WITHIN_MS = 60_000;
/** Bounds the wait if the provider's clock is ahead of ours. */
const LOOKS = 7;
const NEXT_LOOK_MS = 10_000;

/** What is called gone is bought again, or never: one wrong 404 must not decide that, however old the file. */
const LEAST_LOOKS = 3;
const NEXT_LOOK_AT_OLD_MS = 2_000;

/** When to look again for a file that a job names and the provider does not know; null: it is gone. */
export function nextFileLookMs(look: {
  readonly attempt: number;
  /** When the job ended, and now; Unix milliseconds. */
  readonly endedAt: number | null;
  readonly now: number;
}): number | null {
  if (look.attempt >= LOOKS) return null;
  if (look.endedAt === null || look.now - look.endedAt < SHOWS_WITHIN_MS) return NEXT_LOOK_MS;
  return look.attempt < LEAST_LOOKS ? NEXT_LOOK_AT_OLD_MS : null;
}

/** A reading that looks like a part is believed when the same bytes came so many times in a row. */
const BELIEVED_AFTER = 3;

/**
 * Whether a download may lack lines that the provider has: it ends in the middle of one, or has fewer than the job
 * counts as done. A row that is called missing is bought again, so such a download is repeated: it was cut off on
 * its way, or some lines are slow to show. Counters may be wrong too, so the same bytes are believed in the end.
 */
export function isDoubtful(
  readings: readonly OutputReading[],
  job: { readonly counts: JobCounts; readonly rows: number },
): boolean {
  const last = readings.at(-1);
  if (last === undefined) return true;
  const done = Math.min(job.counts.succeeded + job.counts.failed, job.rows);
  if (!last.cutOff && last.lines >= done) return false;
  const latest = readings.slice(-BELIEVED_AFTER);
  return latest.length < BELIEVED_AFTER || latest.some(({ sha256 }) => sha256 !== last.sha256);
}
