import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { Activities, ActivityName, FindJobInput, FindJobResult } from '../activities/contract.js';
import { TASK_QUEUES } from '../batch/wire-names.js';

/*
 * Every activity's queue, time-outs, retries and cancellation. The cancellation type is always set: left out it is
 * TRY_CANCEL at run time, whatever the typings say (measured, SDK 1.24.0).
 *
 * Which failures are final is decided once, by the failure registry through the activities' error mapper, so no
 * retry policy lists error types. Attempts are not limited: an outage of hours must not end a batch that waits for
 * hours anyway. Calls that the workflow can do without have a schedule-to-close time instead.
 */

const { WAIT_CANCELLATION_COMPLETED, TRY_CANCEL } = ActivityCancellationType;

const patient = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' } as const;

/**
 * Every activity heartbeats from start to end: a killed worker is noticed within this time, whatever it was doing.
 * Long enough for a machine that is busy or swaps; a false alarm costs a repeated attempt and nothing else.
 */
const alive = { heartbeatTimeout: '15s' } as const;

/** Bulk I/O: long attempts. */
const transfer: ActivityOptions = {
  ...alive,
  taskQueue: TASK_QUEUES.transfer,
  startToCloseTimeout: '12h',
  retry: patient,
  cancellationType: WAIT_CANCELLATION_COMPLETED,
};

/** One short API call. */
const call: ActivityOptions = {
  ...alive,
  taskQueue: TASK_QUEUES.provider,
  startToCloseTimeout: '2m',
  retry: patient,
  cancellationType: TRY_CANCEL,
};

export const ACTIVITY_OPTIONS: { readonly [A in ActivityName]: ActivityOptions } = {
  prepare: transfer,
  findPlan: transfer,
  checkAccount: call,
  beginRound: transfer,
  // Lists every job of the key, page by page, and waits out the settle time between attempts.
  findJob: { ...call, startToCloseTimeout: '5m' },
  upload: transfer,
  // A create whose outcome is unknown is never abandoned: the attempt ends by itself, within its own HTTP time-out.
  createJob: { ...call, startToCloseTimeout: '5m', cancellationType: WAIT_CANCELLATION_COMPLETED },
  // No news after ten minutes of trying is no reason to fail: the shard polls again.
  getJob: { ...call, scheduleToCloseTimeout: '10m' },
  cancelJob: { ...call, scheduleToCloseTimeout: '15m' },
  collect: transfer,
  assemble: transfer,
  cleanup: { ...call, startToCloseTimeout: '1h', scheduleToCloseTimeout: '2h' },
};

type Calls = {
  readonly [A in ActivityName]: (
    summary: string,
    input: Parameters<Activities[A]>[0],
  ) => ReturnType<Activities[A]>;
};

/**
 * `findJob` for duplicates of a job that is known: a look that the shard can do without. A list that can't be read must
 * not keep answers waiting until the provider drops them.
 */
export function lookForDuplicates(summary: string, input: FindJobInput): Promise<FindJobResult> {
  const options = { ...ACTIVITY_OPTIONS.findJob, scheduleToCloseTimeout: '10m', summary } as const;
  return proxyActivities<Activities>(options).findJob(input);
}

/** One function per activity; `summary` is what the Temporal UI shows beside it. */
export const activities: Calls = {
  prepare: (summary, input) => proxy('prepare', summary).prepare(input),
  findPlan: (summary, input) => proxy('findPlan', summary).findPlan(input),
  checkAccount: (summary, input) => proxy('checkAccount', summary).checkAccount(input),
  beginRound: (summary, input) => proxy('beginRound', summary).beginRound(input),
  findJob: (summary, input) => proxy('findJob', summary).findJob(input),
  upload: (summary, input) => proxy('upload', summary).upload(input),
  createJob: (summary, input) => proxy('createJob', summary).createJob(input),
  getJob: (summary, input) => proxy('getJob', summary).getJob(input),
  cancelJob: (summary, input) => proxy('cancelJob', summary).cancelJob(input),
  collect: (summary, input) => proxy('collect', summary).collect(input),
  assemble: (summary, input) => proxy('assemble', summary).assemble(input),
  cleanup: (summary, input) => proxy('cleanup', summary).cleanup(input),
};

function proxy(name: ActivityName, summary: string) {
  return proxyActivities<Activities>({ ...ACTIVITY_OPTIONS[name], summary });
}
