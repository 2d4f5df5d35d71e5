import type { JobFault } from '../faults/fault.js';
import type { Fields } from '../json.js';
import type { RowWork } from '../rows/row-work.js';
import type { CreateJobRequest } from './create-request.js';
import { openStatusAt, shareAt } from './timeline.js';
import type { JobStatus, TerminalStatus, Timeline } from './timeline.js';

/** How a job ended. Times are milliseconds since the epoch. */
export interface JobEnd {
  readonly status: TerminalStatus;
  readonly at: number;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly outputFile: string | null;
  readonly errorFile: string | null;
  readonly errors: readonly { readonly message: string; readonly count: number }[];
}

export interface Job {
  readonly id: string;
  readonly workspace: string;
  readonly request: CreateJobRequest;
  /** Rows that the input files had when the job was created. */
  readonly expectedRows: number;
  readonly faults: readonly JobFault[];
  readonly work: RowWork;
  timeline: Timeline;
  end: JobEnd | null;
  /** Answers given so far that left the job out, for faults that hide a new job for a while. */
  hiddenGets: number;
  hiddenLists: number;
}

interface Snapshot {
  readonly status: JobStatus;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
}

/** Rows answered at `now`: never more than really are. */
export function rowsDoneAt(job: Job, share: number): number {
  return Math.min(Math.floor(share * (job.work.total ?? 0)), job.work.done);
}

function snapshotAt(job: Job, now: number): Snapshot {
  if (job.end !== null) return job.end;
  const status = openStatusAt(job.timeline, now, job.work.total !== null);
  if (status === 'QUEUED') return { status, total: 0, completed: 0, failed: 0 };
  const completed = rowsDoneAt(job, shareAt(job.timeline, now));
  const started = now >= job.timeline.startAt && !job.timeline.stuck;
  return {
    status,
    total: started ? (job.work.total ?? 0) : 0,
    completed,
    failed: job.work.failedWithin(completed),
  };
}

/** Rows that the job still has to answer; none once it has ended. */
export function pendingRows(job: Job, now: number): number {
  return job.end === null ? job.expectedRows - snapshotAt(job, now).completed : 0;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** The job object as the API sends it. `timeout_hours` is not part of it, and outputs only come when asked for. */
export function jobObject(job: Job, now: number): Fields {
  const { status, total, completed, failed } = snapshotAt(job, now);
  const hasStarted = total > 0 || status === 'RUNNING';
  return {
    id: job.id,
    object: 'batch',
    input_files: job.request.input.kind === 'files' ? job.request.input.ids : [],
    metadata: job.request.metadata,
    endpoint: job.request.endpoint,
    model: job.request.model,
    agent_id: job.request.agentId,
    output_file: job.end?.outputFile ?? null,
    error_file: job.end?.errorFile ?? null,
    errors: job.end?.errors ?? [],
    outputs: null,
    status,
    created_at: seconds(job.timeline.createdAt),
    total_requests: total,
    completed_requests: completed,
    succeeded_requests: completed - failed,
    failed_requests: failed,
    started_at: hasStarted ? seconds(job.timeline.startAt) : null,
    completed_at: job.end === null ? null : seconds(job.end.at),
  };
}
