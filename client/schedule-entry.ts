import type { ScheduleDescription, ScheduleExecutionActionResult, ScheduleSummary } from '@temporalio/client';
import { formatDuration } from '../batch/duration.js';
import { parseRunBatchInput } from '../schemas/run-batch-input.js';
import { LonghaulError } from './failures.js';
import { OVERLAP_POLICIES } from './types.js';
import type { OverlapPolicy, ScheduleDetails, ScheduleEntry } from './types.js';

const OVERLAP_NAMES = {
  skip: 'SKIP',
  'buffer-one': 'BUFFER_ONE',
  'buffer-all': 'BUFFER_ALL',
  'cancel-other': 'CANCEL_OTHER',
  'terminate-other': 'TERMINATE_OTHER',
  'allow-all': 'ALLOW_ALL',
} as const satisfies Record<OverlapPolicy, string>;

/** Temporal's own word for a policy. */
export function overlapName(policy: OverlapPolicy): (typeof OVERLAP_NAMES)[OverlapPolicy] {
  if (Object.hasOwn(OVERLAP_NAMES, policy)) return OVERLAP_NAMES[policy];
  const known = OVERLAP_POLICIES.join(', ');
  throw new LonghaulError('InvalidInput', `overlap ${JSON.stringify(policy)} is not one of ${known}`);
}

type Described = Pick<ScheduleSummary, 'scheduleId' | 'spec' | 'state' | 'info'>;

export function toScheduleEntry({ scheduleId, spec, state, info }: Described): ScheduleEntry {
  const every = spec?.intervals?.[0]?.every;
  return {
    scheduleId,
    cron: spec?.calendars?.[0]?.comment ?? null,
    every: every === undefined ? null : formatDuration(every),
    paused: state.paused,
    note: state.note ?? null,
    // Temporal goes on to count them for a paused schedule, which starts nothing at any of them.
    nextTimes: state.paused ? [] : info.nextActionTimes.map((time) => time.toISOString()),
    recentBatches: info.recentActions.map(({ action, scheduledAt }) => ({
      batchId: batchIdOf(action),
      scheduledAt: scheduledAt.toISOString(),
    })),
  };
}

export function toScheduleDetails(description: ScheduleDescription): ScheduleDetails {
  const { action, policies, spec, info } = description;
  const input = parseRunBatchInput(action.args?.[0]);
  const overlap = OVERLAP_POLICIES.find((policy) => OVERLAP_NAMES[policy] === policies.overlap);
  return {
    ...toScheduleEntry(description),
    overlap: overlap ?? 'skip',
    // Temporal says '' for its default.
    timezone: spec.timezone === undefined || spec.timezone === '' ? 'UTC' : spec.timezone,
    input: input.ok ? input.value : null,
    runningBatches: info.runningActions.map(batchIdOf),
    createdAt: info.createdAt.toISOString(),
  };
}

function batchIdOf(action: ScheduleExecutionActionResult): string {
  return action.workflow.workflowId;
}
