/** The course of a job as a function of time alone. All times are milliseconds since the epoch. */

export const JOB_STATUSES = [
  'QUEUED',
  'RUNNING',
  'SUCCESS',
  'FAILED',
  'TIMEOUT_EXCEEDED',
  'CANCELLATION_REQUESTED',
  'CANCELLED',
] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];
export type TerminalStatus = 'SUCCESS' | 'FAILED' | 'TIMEOUT_EXCEEDED' | 'CANCELLED';

interface ForcedEnd {
  readonly status: TerminalStatus;
  /** Share of the rows (0..1) that were answered until then. */
  readonly share: number;
}

export interface Timeline {
  readonly createdAt: number;
  readonly startAt: number;
  readonly endAt: number;
  readonly timeoutAt: number;
  readonly cancel: { readonly requestedAt: number; readonly endsAt: number } | null;
  /** A job that never leaves QUEUED by itself. */
  readonly stuck: boolean;
  readonly forced: ForcedEnd | null;
  /** The job finishes although a cancel was accepted. */
  readonly cancelLosesRace: boolean;
  /** An input file was deleted before the job began: it will not find it. */
  readonly inputGone: boolean;
}

export interface PlannedEnd {
  readonly at: number;
  readonly status: TerminalStatus;
  readonly share: number;
}

/** Queueing takes a tenth of the job's time, at most a second, unless it is said. */
export function newTimeline(
  createdAt: number,
  jobMs: number,
  timeoutMs: number,
  queuedMs = Math.min(1000, jobMs / 10),
): Timeline {
  return {
    createdAt,
    startAt: createdAt + Math.min(queuedMs, jobMs),
    endAt: createdAt + jobMs,
    timeoutAt: createdAt + timeoutMs,
    cancel: null,
    stuck: false,
    forced: null,
    cancelLosesRace: false,
    inputGone: false,
  };
}

/** Share of the rows (0..1) answered at `now`: never falls, and stands still once a cancel was requested. */
export function shareAt(timeline: Timeline, now: number): number {
  if (timeline.stuck || timeline.inputGone) return 0;
  const moment = Math.min(now, timeline.cancel?.requestedAt ?? now);
  const most = timeline.forced?.share ?? 1;
  if (moment >= timeline.endAt) return most;
  const share = (moment - timeline.startAt) / (timeline.endAt - timeline.startAt);
  return Math.min(Math.max(share, 0), most);
}

/** When and how the job ends if nothing else happens to it. */
export function plannedEnd(timeline: Timeline): PlannedEnd {
  if (timeline.cancel !== null) {
    return timeline.cancelLosesRace
      ? { at: timeline.cancel.endsAt, status: 'SUCCESS', share: 1 }
      : {
          at: timeline.cancel.endsAt,
          status: 'CANCELLED',
          share: shareAt(timeline, timeline.cancel.requestedAt),
        };
  }
  if (timeline.inputGone && !timeline.stuck) return { at: timeline.startAt, status: 'FAILED', share: 0 };
  const endAt = timeline.stuck ? Number.POSITIVE_INFINITY : timeline.endAt;
  if (timeline.timeoutAt < endAt) {
    return {
      at: timeline.timeoutAt,
      status: 'TIMEOUT_EXCEEDED',
      share: shareAt(timeline, timeline.timeoutAt),
    };
  }
  return timeline.forced === null
    ? { at: endAt, status: 'SUCCESS', share: 1 }
    : { at: endAt, status: timeline.forced.status, share: timeline.forced.share };
}

/** Status before the end; `ready` says that the input has been read, without which nothing runs. */
export function openStatusAt(timeline: Timeline, now: number, ready: boolean): JobStatus {
  if (timeline.cancel !== null) return 'CANCELLATION_REQUESTED';
  return ready && !timeline.stuck && now >= timeline.startAt ? 'RUNNING' : 'QUEUED';
}
