import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';

import type { FileStore } from '../files/file-store.js';
import type { JobFault } from '../faults/fault.js';
import { jobFault, rowEdits } from '../faults/job-edits.js';
import type { Settings } from '../options.js';
import { AttemptLedger } from '../rows/attempt-ledger.js';
import { RowWork } from '../rows/row-work.js';
import type { CreateJobRequest } from './create-request.js';
import { pendingRows, rowsDoneAt } from './job.js';
import type { Job, JobEnd } from './job.js';
import { newTimeline, plannedEnd } from './timeline.js';
import type { PlannedEnd, Timeline } from './timeline.js';

const HOUR_MS = 3_600_000;

export interface NewJob {
  readonly workspace: string;
  readonly request: CreateJobRequest;
  readonly inputPaths: readonly string[];
  /** Input that belongs to the job alone and goes with it. */
  readonly ownInput: string | null;
  readonly expectedRows: number;
  readonly faults: readonly JobFault[];
}

/** Whether the rows that belong to this share have been answered, so that nothing more is needed. */
function hasReached(job: Job, share: number): boolean {
  return job.work.total !== null && job.work.done >= Math.floor(share * job.work.total);
}

/**
 * All jobs of all workspaces. A job's state follows from the clock alone, so there are no timers: whoever looks calls
 * `settle` first, which carries out the ends that are due, in the order in which they were due.
 */
export class JobStore {
  readonly #settings: Settings;
  readonly #files: FileStore;
  readonly #directory: string;
  readonly #jobs = new Map<string, Job>();
  readonly #ledgers = new Map<string, AttemptLedger>();
  readonly #ownInputs = new Map<string, string>();
  #settling: Promise<void> = Promise.resolve();

  constructor(settings: Settings, files: FileStore, directory: string) {
    this.#settings = settings;
    this.#files = files;
    this.#directory = directory;
  }

  create(plan: NewJob): Job {
    const id = randomUUID();
    const { request, faults, workspace } = plan;
    const work = new RowWork({
      inputs: plan.inputPaths,
      directory: this.#directory,
      name: id,
      settings: {
        seed: this.#settings.seed,
        rowErrorRate: this.#settings.rowErrorRate,
        permanentErrorShare: this.#settings.permanentErrorShare,
        endpoint: request.endpoint,
        model: request.model,
      },
      ledger: this.#ledgerOf(workspace),
      edits: rowEdits(faults, this.#settings.seed),
      now: this.#settings.now,
    });
    const job: Job = {
      id,
      workspace,
      request,
      expectedRows: plan.expectedRows,
      faults,
      work,
      timeline: this.#timelineOf(plan),
      end: null,
      hiddenGets: 0,
      hiddenLists: 0,
    };
    this.#jobs.set(id, job);
    if (plan.ownInput !== null) this.#ownInputs.set(id, plan.ownInput);
    work.start();
    return job;
  }

  get(workspace: string, id: string): Job | undefined {
    const job = this.#jobs.get(id);
    return job?.workspace === workspace ? job : undefined;
  }

  /** In the order of creation. */
  list(workspace: string): readonly Job[] {
    return this.all().filter((job) => job.workspace === workspace);
  }

  all(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  pendingRows(workspace: string): number {
    const now = this.#settings.now();
    return this.list(workspace).reduce((sum, job) => sum + pendingRows(job, now), 0);
  }

  /** Requests the end of an open job. A job that has ended, or was cancelled before, stays as it is. */
  cancel(job: Job): boolean {
    if (job.end !== null || job.timeline.cancel !== null) return false;
    const requestedAt = this.#settings.now();
    const cancel = { requestedAt, endsAt: requestedAt + this.#settings.cancelSeconds * 1000 };
    job.timeline = { ...job.timeline, cancel };
    return true;
  }

  /** A job that has begun has its input open; one that has not will not find it any more. */
  inputDeleted(fileId: string): void {
    const now = this.#settings.now();
    for (const job of this.#jobs.values()) {
      const { input } = job.request;
      if (input.kind !== 'files' || !input.ids.includes(fileId)) continue;
      if (job.end === null && (now < job.timeline.startAt || job.timeline.stuck)) {
        job.timeline = { ...job.timeline, inputGone: true };
      }
    }
  }

  /** Forgets the job; its result files stay, as deleting a job does not delete files. */
  async delete(job: Job): Promise<void> {
    this.#jobs.delete(job.id);
    if (job.end === null) await job.work.discard();
    await this.#dropOwnInput(job);
  }

  async clear(): Promise<void> {
    const jobs = this.all();
    this.#jobs.clear();
    this.#ledgers.clear();
    await Promise.all(jobs.filter((job) => job.end === null).map((job) => job.work.discard()));
    await Promise.all(jobs.map((job) => this.#dropOwnInput(job)));
  }

  /** Carries out every end that is due. One at a time: two requests must not end one job twice. */
  settle(): Promise<void> {
    const settled = this.#settling.then(() => this.#settleDue());
    this.#settling = settled.catch(() => undefined);
    return settled;
  }

  async #settleDue(): Promise<void> {
    const now = this.#settings.now();
    const due = this.all()
      .filter((job) => job.end === null)
      .map((job) => ({ job, planned: plannedEnd(job.timeline) }))
      .filter(({ planned }) => planned.at <= now)
      .sort((left, right) => left.planned.at - right.planned.at);
    for (const { job, planned } of due) {
      const stopEarly = job.timeline.cancel !== null && hasReached(job, planned.share);
      if (stopEarly) job.work.stop();
      if (stopEarly || job.work.finishedAt !== null) await this.#end(job, planned);
    }
  }

  async #end(job: Job, planned: PlannedEnd): Promise<void> {
    await job.work.finished;
    if (!this.#jobs.has(job.id)) return;
    const { work } = job;
    const total = work.total ?? 0;
    const broken = work.failure;
    const completed = broken === null ? rowsDoneAt(job, planned.share) : 0;
    const failed = work.failedWithin(completed);
    if (planned.status !== 'CANCELLED') await this.#ledgerOf(job.workspace).add(work.keys());
    const { output, error } = await work.cut(completed);
    // A job can't have completed before its last row was answered, however late the answers were.
    const at = planned.share === 1 ? Math.max(planned.at, work.finishedAt ?? 0) : planned.at;
    const end: JobEnd = {
      status: broken === null && total > 0 ? planned.status : 'FAILED',
      at,
      total,
      completed,
      failed,
      outputFile: output === null ? null : this.#addResult(job, 'output', 'batch_result', output, at),
      errorFile: error === null ? null : this.#addResult(job, 'error', 'batch_error', error, at),
      errors: this.#errorsOf(job, total),
    };
    job.end = end;
    await this.#dropOwnInput(job);
  }

  #errorsOf(job: Job, total: number): JobEnd['errors'] {
    if (job.work.failure !== null) return [{ message: job.work.failure, count: 1 }];
    if (job.timeline.inputGone) return [{ message: 'An input file was not found', count: 1 }];
    const forced = jobFault(job.faults, 'jobOutcome')?.errors ?? [];
    return total === 0 && forced.length === 0 ? [{ message: 'Input has no requests', count: 1 }] : forced;
  }

  #addResult(
    job: Job,
    name: string,
    sampleType: string,
    file: { readonly path: string; readonly bytes: number },
    at: number,
  ): string {
    const retention =
      jobFault(job.faults, 'resultRetention')?.seconds ?? this.#settings.resultRetentionSeconds;
    const stored = this.#files.add({
      workspace: job.workspace,
      path: file.path,
      bytes: file.bytes,
      createdAt: at,
      filename: `batch_${name}_${job.id}.jsonl`,
      purpose: 'batch',
      sampleType,
      source: 'mistral',
      numLines: null,
      mimetype: 'application/jsonl',
      visibility: 'workspace',
      expiresAt: at + retention * 1000,
      listLag: null,
    });
    return stored.id;
  }

  #timelineOf({ request, faults }: NewJob): Timeline {
    const { seconds, queued } = jobFault(faults, 'jobSeconds') ?? {
      seconds: this.#settings.jobSeconds,
      queued: null,
    };
    const outcome = jobFault(faults, 'jobOutcome');
    const timeline = newTimeline(
      this.#settings.now(),
      seconds * 1000,
      request.timeoutHours * HOUR_MS,
      queued === null ? undefined : queued * 1000,
    );
    return {
      ...timeline,
      stuck: jobFault(faults, 'stuckQueued') !== undefined,
      forced: outcome === undefined ? null : { status: outcome.status, share: outcome.share },
      cancelLosesRace: jobFault(faults, 'cancelRace') !== undefined,
    };
  }

  #ledgerOf(workspace: string): AttemptLedger {
    const ledger = this.#ledgers.get(workspace) ?? new AttemptLedger();
    this.#ledgers.set(workspace, ledger);
    return ledger;
  }

  async #dropOwnInput(job: Job): Promise<void> {
    const path = this.#ownInputs.get(job.id);
    this.#ownInputs.delete(job.id);
    if (path !== undefined) await rm(path, { force: true });
  }
}
