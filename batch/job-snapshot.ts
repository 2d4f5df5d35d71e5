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
