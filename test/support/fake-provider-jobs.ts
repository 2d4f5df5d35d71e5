import type { JobPhase } from '../../batch/job-phase.js';
import type { RemoteJob } from '../../providers/provider.js';

/** What the provider says of one row: a success, an HTTP status, or nothing at all. */
export type RowAnswer = 'ok' | 'missing' | number;

/** How the fake provider runs a job. */
export interface JobCourse {
  readonly durationMs: number;
  readonly end: Extract<JobPhase, 'succeeded' | 'failed' | 'expired' | 'cancelled'>;
  /** `round` counts the jobs that had the row before, from 1. */
  readonly answer: (customId: string, round: number) => RowAnswer;
  /** From the cancel request to the end. */
  readonly cancelMs: number;
  readonly errors: readonly string[];
}

export const USUAL_COURSE: JobCourse = {
  durationMs: 30_000,
  end: 'succeeded',
  answer: () => 'ok',
  cancelMs: 2_000,
  errors: [],
};

const STATUS: { readonly [P in JobPhase]: string } = {
  pending: 'QUEUED',
  running: 'RUNNING',
  cancelling: 'CANCELLATION_REQUESTED',
  succeeded: 'SUCCESS',
  failed: 'FAILED',
  expired: 'TIMEOUT_EXCEEDED',
  cancelled: 'CANCELLED',
  unknown: 'SOMETHING_NEW',
};

interface FakeRow {
  readonly customId: string;
  readonly answer: RowAnswer;
}

/** A job whose state is a function of the time alone. */
export class FakeJob {
  readonly id: string;
  readonly fileId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly rows: readonly FakeRow[];
  readonly request: { readonly endpoint: string; readonly model: string };
  /** Cancel requests that found it running. */
  cancels = 0;
  deleted = false;
  #course: JobCourse;
  #cancelAskedAt: number | null = null;

  constructor(facts: {
    readonly id: string;
    readonly fileId: string;
    readonly endpoint: string;
    readonly model: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly createdAt: number;
    readonly rows: readonly FakeRow[];
    readonly course: JobCourse;
  }) {
    this.id = facts.id;
    this.fileId = facts.fileId;
    this.metadata = facts.metadata;
    this.createdAt = facts.createdAt;
    this.rows = facts.rows;
    this.#course = facts.course;
    this.request = { endpoint: facts.endpoint, model: facts.model };
  }

  phaseAt(now: number): JobPhase {
    if (now >= this.#endsAt) return this.#cancelledBeforeEnd ? 'cancelled' : this.#course.end;
    if (this.#cancelAskedAt !== null) return 'cancelling';
    return now < this.createdAt + 1_000 ? 'pending' : 'running';
  }

  /** Its course is run by then, instead of later. */
  endBy(now: number): void {
    this.#course = { ...this.#course, durationMs: Math.min(this.#course.durationMs, now - this.createdAt) };
  }

  cancelAt(now: number): void {
    if (now >= this.#endsAt || this.#cancelAskedAt !== null) return;
    this.cancels += 1;
    this.#cancelAskedAt = now;
  }

  /** Rows that the provider got to by then; a job that failed or ran out of time got to none. */
  doneAt(now: number): number {
    const stopsAt = this.#cancelledBeforeEnd ? (this.#cancelAskedAt ?? this.#endsAt) : this.#endsAt;
    const until = Math.min(now, stopsAt);
    if (this.#course.end === 'failed' || this.#course.end === 'expired') return 0;
    return Math.floor(this.rows.length * Math.min(1, (until - this.createdAt) / this.#course.durationMs));
  }

  answeredAt(now: number): readonly FakeRow[] {
    return this.rows.slice(0, this.doneAt(now)).filter(({ answer }) => answer !== 'missing');
  }

  remoteAt(now: number): RemoteJob {
    const phase = this.phaseAt(now);
    const ended = now >= this.#endsAt;
    const answered = this.answeredAt(now);
    const succeeded = answered.filter(({ answer }) => answer === 'ok').length;
    return {
      id: this.id,
      phase,
      status: STATUS[phase],
      createdAt: this.createdAt,
      completedAt: ended ? this.#endsAt : null,
      counts: {
        total: this.rows.length,
        completed: this.doneAt(now),
        succeeded,
        failed: answered.length - succeeded,
      },
      outputFile: ended && succeeded > 0 ? `output-${this.id}` : null,
      errorFile: ended && succeeded < answered.length ? `errors-${this.id}` : null,
      inputFiles: [this.fileId],
      ...this.request,
      metadata: this.metadata,
      errors: ended ? this.#course.errors.map((message) => ({ message, count: 1 })) : [],
    };
  }

  get #endsAt(): number {
    const regular = this.createdAt + this.#course.durationMs;
    return this.#cancelAskedAt === null
      ? regular
      : Math.min(regular, this.#cancelAskedAt + this.#course.cancelMs);
  }

  get #cancelledBeforeEnd(): boolean {
    return this.#cancelAskedAt !== null && this.#endsAt < this.createdAt + this.#course.durationMs;
  }
}

/** One line of a result file, as Mistral writes it. */
export function outputLine({ customId, answer }: FakeRow): string {
  const ok = answer === 'ok';
  const body = ok ? { answerTo: customId, usage: { total_tokens: 3 } } : { message: 'no' };
  const response = { status_code: ok ? 200 : answer, body };
  return `${JSON.stringify({ id: `answer-${customId}`, custom_id: customId, response, error: null })}\n`;
}
