import type { Client, ScheduleOptionsStartWorkflowAction, ScheduleSpec } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { idRefusal } from '../batch/batch-id.js';
import { TASK_QUEUES, WORKFLOW_TYPES } from '../batch/wire-names.js';
import { inputBaseName } from '../storage/input-uri.js';
import { assertKind, assertOptions } from './assert-options.js';
import { fromScheduleRefusal } from './errors.js';
import { LonghaulError } from './failures.js';
import { overlapName, toScheduleDetails, toScheduleEntry } from './schedule-entry.js';
import { scheduleSpec } from './schedule-spec.js';
import { triggerSchedule } from './schedule-trigger.js';
import { scheduledInput } from './scheduled-input.js';
import { assertSetUp } from './setup.js';
import type { Temporal } from './temporal.js';
import type { BackfillOptions, ScheduleDetails, ScheduleEntry, ScheduleOptions, Schedules } from './types.js';

/** Batches missed while the server was down are made up for if they are not older. */
const CATCHUP_WINDOW = '1h';

export class TemporalSchedules implements Schedules {
  readonly #temporal: Temporal;

  constructor(temporal: Temporal) {
    this.#temporal = temporal;
  }

  async create(scheduleId: string, options: ScheduleOptions): Promise<void> {
    const { state, ...schedule } = compile(scheduleId, options);
    await assertSetUp(this.#temporal);
    await this.#define(scheduleId, (client) => client.schedule.create({ scheduleId, ...schedule, state }));
  }

  async apply(scheduleId: string, options: ScheduleOptions): Promise<'created' | 'updated'> {
    const { state, ...schedule } = compile(scheduleId, options);
    try {
      await this.create(scheduleId, options);
      return 'created';
    } catch (error) {
      if (!(error instanceof LonghaulError) || error.type !== 'ScheduleExists') throw error;
    }
    await this.#define(scheduleId, (client) =>
      client.schedule.getHandle(scheduleId).update(({ state: { paused, note } }) => ({
        ...schedule,
        state: { paused, ...(note === undefined ? {} : { note }), ...state },
      })),
    );
    return 'updated';
  }

  async *list(): AsyncGenerator<ScheduleEntry> {
    for await (const summary of this.#temporal.stream((client) => client.schedule.list())) {
      // Other applications of the namespace have schedules of their own.
      if (summary.action?.workflowType === WORKFLOW_TYPES.runBatch) yield toScheduleEntry(summary);
    }
  }

  async describe(scheduleId: string): Promise<ScheduleDetails> {
    return toScheduleDetails(await this.#on(scheduleId, (handle) => handle.describe()));
  }

  async pause(scheduleId: string, note = 'paused by Longhaul'): Promise<void> {
    assertText(scheduleId);
    assertKind('note', note, 'text');
    await this.#on(scheduleId, (handle) => handle.pause(note));
  }

  async resume(scheduleId: string, note = 'resumed by Longhaul'): Promise<void> {
    assertText(scheduleId);
    assertKind('note', note, 'text');
    await this.#on(scheduleId, (handle) => handle.unpause(note));
  }

  async trigger(scheduleId: string): Promise<string> {
    assertText(scheduleId);
    return triggerSchedule(this.#temporal, scheduleId);
  }

  async backfill(scheduleId: string, options: BackfillOptions): Promise<void> {
    assertOptions('backfill', options, {});
    const { start, end, overlap } = options;
    if (!(start instanceof Date && end instanceof Date && start <= end)) {
      throw new LonghaulError(
        'InvalidInput',
        'a backfill’s start and end are dates, the start not after the end',
      );
    }
    await this.#on(scheduleId, (handle) =>
      handle.backfill({ start, end, overlap: overlapName(overlap ?? 'buffer-all') }),
    );
  }

  delete(scheduleId: string): Promise<void> {
    return this.#on(scheduleId, (handle) => handle.delete());
  }

  async #define(scheduleId: string, send: (client: Client) => Promise<unknown>): Promise<void> {
    await this.#temporal.call(async (client) => {
      try {
        await send(client);
      } catch (error) {
        throw fromScheduleRefusal(error, scheduleId);
      }
    });
  }

  async #on<T>(
    scheduleId: string,
    use: (handle: ReturnType<Client['schedule']['getHandle']>) => Promise<T>,
  ): Promise<T> {
    assertText(scheduleId);
    return this.#temporal.call((client) => use(client.schedule.getHandle(scheduleId)));
  }
}

interface CompiledSchedule {
  readonly spec: ScheduleSpec;
  readonly action: ScheduleOptionsStartWorkflowAction<Workflow>;
  readonly policies: {
    readonly overlap: ReturnType<typeof overlapName>;
    readonly catchupWindow: typeof CATCHUP_WINDOW;
    readonly pauseOnFailure: boolean;
  };
  readonly state: { readonly note?: string };
}

function compile(scheduleId: string, options: ScheduleOptions): CompiledSchedule {
  assertScheduleId(scheduleId);
  assertOptions('a schedule', options, { cron: 'text', every: 'text', timezone: 'text', note: 'text' });
  const { cron, every, timezone, overlap, note, ...batch } = options;
  const input = scheduledInput(batch);
  const { model, endpoint } = input;
  return {
    spec: scheduleSpec({ cron, every, timezone }),
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_TYPES.runBatch,
      workflowId: scheduleId,
      taskQueue: TASK_QUEUES.workflows,
      // Without a hash: the input is what lies there when the time comes.
      args: [input],
      staticSummary: `${inputBaseName(input.input.uri)}: ${model} on ${endpoint}`,
    },
    policies: {
      overlap: overlapName(overlap ?? 'buffer-one'),
      catchupWindow: CATCHUP_WINDOW,
      // A batch fails before anything is bought, for want of an input or a key: the next time is a fresh try,
      // while a schedule that paused itself would skip all later ones in silence.
      pauseOnFailure: false,
    },
    state: note === undefined ? {} : { note },
  };
}

/** Whatever text it is, it may be the id of a schedule that somebody made by other means. */
function assertText(scheduleId: unknown): void {
  if (typeof scheduleId !== 'string') assertScheduleId(scheduleId);
}

function assertScheduleId(scheduleId: unknown): void {
  const refusal = idRefusal('schedule', scheduleId);
  if (refusal !== null) throw new LonghaulError('InvalidInput', refusal);
}
