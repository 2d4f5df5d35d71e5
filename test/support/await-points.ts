import type { WorkflowHandle } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { ActivityName } from '../../activities/contract.js';

/**
 * A moment at which a batch waits for something, read from the commands in a history: an activity that was scheduled,
 * a timer that was started, a shard that was to be started.
 */
export type AwaitPoint =
  | {
      readonly kind: 'activity';
      readonly name: ActivityName;
      readonly n: number;
      readonly when: 'before' | 'after';
    }
  /** `at`: milliseconds after the batch's start, well inside of the timer. */
  | { readonly kind: 'timer'; readonly n: number; readonly at: number }
  | { readonly kind: 'child'; readonly n: number };

export function describePoint(point: AwaitPoint): string {
  if (point.kind === 'activity') return `${point.when} ${point.name} ${point.n}`;
  return `while ${point.kind} ${point.n} ${point.kind === 'timer' ? 'runs' : 'is being started'}`;
}

/** A timer that is over sooner, by firing or by being overtaken, is not waited for alone. */
const SHORTEST_WAIT_MS = 1_000;

/** The await points of one workflow's undisturbed history. */
export async function awaitPointsOf(handle: WorkflowHandle, startedAt: number): Promise<AwaitPoint[]> {
  const { events = [] } = await handle.fetchHistory();
  const points: AwaitPoint[] = [];
  const counts = new Map<string, number>();
  const next = (kind: string) => {
    const n = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, n);
    return n;
  };
  for (const [index, event] of (events ?? []).entries()) {
    const scheduled = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (scheduled !== undefined && scheduled !== null) {
      const name = activityName(scheduled);
      const n = next(name);
      points.push(
        { kind: 'activity', name, n, when: 'before' },
        { kind: 'activity', name, n, when: 'after' },
      );
    }
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) {
      points.push({ kind: 'child', n: next('child') });
    }
    if (event.timerStartedEventAttributes) {
      const from = tsToMs(event.eventTime);
      const waits = tsToMs(events?.[index + 1]?.eventTime) - from;
      const n = next('timer');
      if (waits >= SHORTEST_WAIT_MS) points.push({ kind: 'timer', n, at: from - startedAt + waits / 2 });
    }
  }
  return points;
}

const ACTIVITY_NAMES: { readonly [A in ActivityName]: true } = {
  prepare: true,
  findPlan: true,
  checkAccount: true,
  beginRound: true,
  findJob: true,
  upload: true,
  createJob: true,
  getJob: true,
  cancelJob: true,
  collect: true,
  assemble: true,
  cleanup: true,
};

function activityName(name: string): ActivityName {
  if (!isActivityName(name)) throw new Error(`unknown activity ${name}`);
  return name;
}

function isActivityName(name: string): name is ActivityName {
  return Object.hasOwn(ACTIVITY_NAMES, name);
}
