import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TemporalSchedules } from '../../client/schedules.js';
import { lazyTemporal } from '../support/lazy-temporal.js';
import type { LazyTemporal } from '../support/lazy-temporal.js';

type Time = ReturnType<typeof msToTs>;

const NOW = Date.parse('2026-11-22T12:00:00.250Z');

interface Ways {
  /** Default true. */
  readonly starts?: boolean;
  /** Default true; false as with a server that goes by its own clock. */
  readonly takesTimes?: boolean;
  /** Somebody else is always faster. */
  readonly rival?: boolean;
}

/** The schedule as Temporal's server has it: one batch for each second, and of two triggers within one only the first. */
class FakeSchedule {
  readonly actions: { readonly scheduleTime: Time; readonly workflowId: string }[] = [];
  triggers = 0;

  constructor(server: LazyTemporal, { starts = true, takesTimes = true, rival = false }: Ways = {}) {
    const { workflowService } = server.connection;
    vi.spyOn(workflowService, 'describeSchedule').mockImplementation((() =>
      Promise.resolve(this.#description())) as never);
    vi.spyOn(workflowService, 'patchSchedule').mockImplementation(((request: {
      patch: { triggerImmediately: { scheduledTime?: Time } };
    }) => {
      this.triggers += 1;
      const given = takesTimes ? request.patch.triggerImmediately.scheduledTime : undefined;
      if (rival) this.start(msToTs(Math.floor(Date.now() / 1000) * 1000));
      if (starts) this.start(given ?? { ...msToTs(Date.now()), nanos: 261_521_562 });
      return Promise.resolve({});
    }) as never);
  }

  start(scheduleTime: Time): void {
    const workflowId = `daily-${new Date(tsToMs(scheduleTime)).toISOString().slice(0, 19)}Z`;
    if (this.actions.every((action) => action.workflowId !== workflowId)) {
      this.actions.push({ scheduleTime, workflowId });
    }
  }

  #description(): object {
    const workflowType = { name: 'runBatch' };
    const startWorkflow = { workflowId: 'daily', workflowType, taskQueue: { name: 'longhaul' } };
    const schedule = { spec: {}, action: { startWorkflow }, policies: { overlapPolicy: 1 }, state: {} };
    const recentActions = this.actions.map(({ scheduleTime, workflowId }) => ({
      scheduleTime,
      actualTime: scheduleTime,
      startWorkflowResult: { workflowId, runId: 'r' },
    }));
    return { schedule, info: { recentActions, createTime: msToTs(NOW) } };
  }
}

let server: LazyTemporal;
let schedules: TemporalSchedules;
beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  server = lazyTemporal();
  schedules = new TemporalSchedules(server.temporal);
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

/** What triggers sent at the same time come to. */
async function trigger(count: number): Promise<readonly PromiseSettledResult<string | null>[]> {
  const all = Promise.allSettled(Array.from({ length: count }, () => schedules.trigger('daily')));
  await vi.advanceTimersByTimeAsync(30_000);
  return all;
}

it('each trigger has a batch of its own, though ids have whole seconds', async () => {
  const fake = new FakeSchedule(server);
  const ids = (await trigger(3)).map((end) => (end.status === 'fulfilled' ? end.value : end.reason));
  expect(ids.toSorted()).toEqual([0, 1, 2].map((second) => `daily-2026-11-22T12:00:0${second}Z`));
  expect(fake.actions).toHaveLength(3);
});

it('a batch that was started in its second at a regular time is not the trigger’s', async () => {
  const fake = new FakeSchedule(server);
  fake.start(msToTs(NOW - 250));
  expect(await trigger(1)).toMatchObject([{ value: 'daily-2026-11-22T12:00:01Z' }]);
  expect(fake.triggers).toBe(1);
});

it.each([
  ['shows no batch', { starts: false }, 'has started nothing within 5 s'],
  ['does not say whose a batch is', { takesTimes: false }, 'it may be daily-2026-11-22T12:00:00Z'],
])('is not sent again when Temporal %s: it might be paid for twice', async (_name, options, words) => {
  const fake = new FakeSchedule(server, options);
  expect(await trigger(1)).toMatchObject([
    { reason: { type: 'NotTriggered', message: expect.stringContaining(words) } },
  ]);
  expect(fake.triggers).toBe(1);
});

it('gives up, and says that nothing was started, when others are first in every second', async () => {
  const fake = new FakeSchedule(server, { rival: true });
  expect(await trigger(1)).toMatchObject([
    { reason: { type: 'NotTriggered', message: expect.stringContaining('started nothing, 5 times') } },
  ]);
  expect(fake.triggers).toBe(5);
});
