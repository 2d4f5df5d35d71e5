import type { Client, ScheduleDescription } from '@temporalio/client';
import { LonghaulError } from './failures.js';
import { pause } from './pause.js';
import type { Temporal } from './temporal.js';

/** `ScheduleOverlapPolicy` of Temporal's API. */
const ALLOW_ALL = 6;

const SHOWN_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 100;
/** A second may be taken by another trigger or a regular time; so often in a row it will go on. */
const ATTEMPTS = 5;

const NANOS_OF_MILLI = 1_000_000;
const NANOS_OF_MICRO = 1_000;
const MICROS_OF_MILLI = 1_000;

/**
 * Starts one batch of a schedule now, and returns its id.
 *
 * The id has the trigger's time in whole seconds, so of two triggers within one second Temporal drops one, without a
 * word. Each trigger therefore has a time of its own, to the microsecond, by which it finds what it started. When its
 * second is taken, it has started nothing for certain, and is sent again in the next one. What is not certain is not
 * repeated: a batch that was started twice would be paid for twice.
 * @throws LonghaulError NotTriggered, UnknownSchedule
 */
export async function triggerSchedule(temporal: Temporal, scheduleId: string): Promise<string> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const known = await look(temporal, scheduleId);
    const at = await freeTime(known.actions);
    await sendTrigger(temporal, scheduleId, timestamp(at, known.clock));
    const batchId = await startedBy(temporal, scheduleId, { at, known: known.actions });
    if (batchId !== null) return batchId;
    await nextSecond();
  }
  throw new LonghaulError(
    'NotTriggered',
    `the trigger of ${scheduleId} started nothing, ${ATTEMPTS} times: each time another batch of it was started first in that second; trigger it again when fewer are started`,
  );
}

/** When a trigger is sent: whole milliseconds, and microseconds that tell it from others. */
interface TriggerTime {
  readonly ms: number;
  readonly micros: number;
}

interface Action {
  readonly batchId: string;
  readonly ms: number;
  /** Below the millisecond. */
  readonly nanos: number;
}

let lastMicros = Math.floor(Math.random() * MICROS_OF_MILLI);

/** Now, or the next second where this one is taken. */
async function freeTime(known: readonly Action[]): Promise<TriggerTime> {
  const now = Date.now();
  if (known.some(({ ms }) => isSameSecond(ms, now))) await nextSecond();
  // Never zero: that is what regular times have.
  lastMicros = (lastMicros % (MICROS_OF_MILLI - 1)) + 1;
  return { ms: Date.now(), micros: lastMicros };
}

/** A timer may be a millisecond early. */
function nextSecond(): Promise<void> {
  return pause(1_001 - (Date.now() % 1_000));
}

function isSameSecond(a: number, b: number): boolean {
  return Math.floor(a / 1_000) === Math.floor(b / 1_000);
}

type Clock = Awaited<ReturnType<typeof look>>['clock'];

/** The SDK offers no way to make its 64-bit seconds: they are counted on from some that the server sent. */
function timestamp({ ms, micros }: TriggerTime, clock: Clock) {
  const seconds = clock.add(Math.floor(ms / 1_000) - Number(clock));
  return { seconds, nanos: (ms % 1_000) * NANOS_OF_MILLI + micros * NANOS_OF_MICRO };
}

/** The SDK's own trigger can't say the time. */
async function sendTrigger(
  temporal: Temporal,
  scheduleId: string,
  scheduledTime: ReturnType<typeof timestamp>,
): Promise<void> {
  const { namespace } = temporal;
  const patch = { triggerImmediately: { overlapPolicy: ALLOW_ALL, scheduledTime } };
  // The gRPC layer repeats a call whose answer was lost; by this the server knows it again.
  const requestId = globalThis.crypto.randomUUID();
  await temporal.call((client: Client) =>
    client.connection.workflowService.patchSchedule({ namespace, scheduleId, patch, requestId }),
  );
}

/** The id of what the trigger started; null when its second was taken. */
async function startedBy(
  temporal: Temporal,
  scheduleId: string,
  { at, known }: { readonly at: TriggerTime; readonly known: readonly Action[] },
): Promise<string | null> {
  const until = Date.now() + SHOWN_WITHIN_MS;
  let actions: readonly Action[] = known;
  while (Date.now() < until) {
    ({ actions } = await look(temporal, scheduleId));
    const own = actions.find(({ ms, nanos }) => ms === at.ms && nanos === at.micros * NANOS_OF_MICRO);
    if (own !== undefined) return own.batchId;
    if (actions.some((action) => isSameSecond(action.ms, at.ms) && isAnothers(action))) return null;
    await pause(LOOK_EVERY_MS);
  }
  const others = actions.filter((action) => !known.some((old) => old.batchId === action.batchId));
  throw new LonghaulError('NotTriggered', notTold(scheduleId, others));
}

/**
 * A regular time has no part of a second, a trigger of Longhaul's whole microseconds. The time of any other is the
 * server's clock: what a trigger of ours gets by a server that does not take the time that it is sent.
 */
function isAnothers({ nanos }: Action): boolean {
  return nanos % NANOS_OF_MICRO === 0;
}

function notTold(scheduleId: string, others: readonly Action[]): string {
  const seconds = SHOWN_WITHIN_MS / 1_000;
  if (others.length === 0) {
    return `${scheduleId} was triggered, and has started nothing within ${seconds} s; it may still do so when Temporal is less busy`;
  }
  const ids = others.map(({ batchId }) => batchId).join(', ');
  return `${scheduleId} was triggered, and Temporal does not say what that started; it may be ${ids}`;
}

/** What the schedule has started lately, and some second of the server's. */
async function look(temporal: Temporal, scheduleId: string) {
  const { raw } = await temporal.call((client) => client.schedule.getHandle(scheduleId).describe());
  const clock = raw.info?.createTime?.seconds;
  if (clock === null || clock === undefined) {
    throw new LonghaulError('TemporalRefused', `Temporal does not say when ${scheduleId} was created`);
  }
  return { actions: actionsOf(raw), clock };
}

/** The SDK's own `recentActions` have milliseconds. */
function actionsOf({ info }: ScheduleDescription['raw']): readonly Action[] {
  return (info?.recentActions ?? []).flatMap(({ scheduleTime, startWorkflowResult }) => {
    const batchId = startWorkflowResult?.workflowId;
    if (typeof batchId !== 'string' || scheduleTime === null || scheduleTime === undefined) return [];
    const nanos = scheduleTime.nanos ?? 0;
    const ms = Number(scheduleTime.seconds ?? 0) * 1_000 + Math.floor(nanos / NANOS_OF_MILLI);
    return [{ batchId, ms, nanos: nanos % NANOS_OF_MILLI }];
  });
}
