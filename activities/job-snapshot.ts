import type { JobSnapshot } from '../batch/job-snapshot.js';
import type { RemoteJob } from '../providers/provider.js';

/** What may enter a history of a provider's job: its errors and metadata stay out. */
export function toSnapshot(job: RemoteJob): JobSnapshot {
  return {
    jobId: job.id,
    phase: job.phase,
    status: job.status,
    counts: job.counts,
    outputFile: job.outputFile,
    errorFile: job.errorFile,
    createdAt: job.createdAt,
    completedAt: job.completedAt,
  };
}
