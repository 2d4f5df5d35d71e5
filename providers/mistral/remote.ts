import type { JobPhase } from '../../batch/job-phase.js';
import type { MistralBatchJob } from '../../schemas/mistral/batch-job.js';
import type { MistralFile } from '../../schemas/mistral/file.js';
import type { RemoteFile, RemoteJob } from '../provider.js';

/** From Mistral's words to ours. */

const PHASES: ReadonlyMap<string, JobPhase> = new Map([
  ['QUEUED', 'pending'],
  ['RUNNING', 'running'],
  ['SUCCESS', 'succeeded'],
  ['FAILED', 'failed'],
  ['TIMEOUT_EXCEEDED', 'expired'],
  ['CANCELLATION_REQUESTED', 'cancelling'],
  ['CANCELLED', 'cancelled'],
]);

function phaseOf(status: string): JobPhase {
  return PHASES.get(status) ?? 'unknown';
}

export function toRemoteJob(job: MistralBatchJob): RemoteJob {
  return {
    id: job.id,
    phase: phaseOf(job.status),
    status: job.status,
    createdAt: job.created_at * 1000,
    completedAt: typeof job.completed_at === 'number' ? job.completed_at * 1000 : null,
    counts: {
      total: job.total_requests,
      completed: job.completed_requests,
      succeeded: job.succeeded_requests,
      failed: job.failed_requests,
    },
    outputFile: present(job.output_file),
    errorFile: present(job.error_file),
    inputFiles: job.input_files,
    endpoint: job.endpoint ?? '',
    model: present(job.model),
    metadata: textPairs(job.metadata),
    errors: job.errors,
  };
}

export function toRemoteFile(file: MistralFile): RemoteFile {
  return {
    id: file.id,
    name: file.filename ?? '',
    bytes: file.bytes ?? null,
    lines: file.num_lines ?? null,
    createdAt: (file.created_at ?? 0) * 1000,
  };
}

function present(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === '' ? null : value;
}

function textPairs(metadata: MistralBatchJob['metadata']): Record<string, string> {
  const pairs = Object.entries(metadata ?? {});
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
