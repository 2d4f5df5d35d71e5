import { isAlive } from './job-phase.js';
import type { JobCounts, JobPhase } from './job-phase.js';

/** What workflows know of a provider's job: references and counts, nothing of its rows or errors. */
export interface JobSnapshot {
  readonly jobId: string;
  readonly phase: JobPhase;
  /** The provider's own word. */
  readonly status: string;
  readonly counts: JobCounts;
  readonly outputFile: string | null;
  readonly errorFile: string | null;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly completedAt: number | null;
}

/** The status of a job that is on record and that the provider does not know: not one of the provider's words. */
export const NOT_FOUND = 'NOT_FOUND';

/** Whether the provider has shown the job. */
export function isShown({ status }: Pick<JobSnapshot, 'status'>): boolean {
  return status !== NOT_FOUND;
}

/** One that the provider does not show may have ended long ago. */
export function isSeenAlive(job: Pick<JobSnapshot, 'status' | 'phase'>): boolean {
  return isShown(job) && isAlive(job.phase);
}
