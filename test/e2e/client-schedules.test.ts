import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Longhaul, ScheduleOptions } from '../../client/index.js';
import { ClientWorld, collect } from '../support/client-world.js';

let world: ClientWorld;
let longhaul: Longhaul;
let options: ScheduleOptions;
beforeAll(async () => {
  world = await ClientWorld.create({ emulator: { jobSeconds: 1 } });
  await world.startWorker();
  longhaul = await world.connect();
  const {
    id: _id,
    stageInput: _stage,
    inputName: _name,
    signal: _signal,
    ...batch
  } = await world.batch('daily', 3);
  options = { ...batch, cron: '0 6 * * MON-FRI', timezone: 'europe/paris', note: 'every morning' };
});
afterAll(() => world.remove());

it('creates a schedule, describes it and lists it', async () => {
  await longhaul.schedules.create('daily', options);
  const details = await longhaul.schedules.describe('daily');
  expect(details).toMatchObject({
    scheduleId: 'daily',
    cron: '0 6 * * MON-FRI',
    every: null,
    paused: false,
    note: 'every morning',
    overlap: 'buffer-one',
    timezone: 'Europe/Paris',
    input: { model: 'mistral-small-latest' },
    recentBatches: [],
  });
  expect(details.input?.input.sha256).toBeUndefined();
  expect(details.nextTimes.length).toBeGreaterThan(0);
  expect(details.nextTimes.every((time) => /T0[45]:00:00\.000Z$/.test(time))).toBe(true);
  await vi.waitFor(async () => {
    const listed = await collect(longhaul.schedules.list());
    expect(listed).toMatchObject([{ scheduleId: 'daily', cron: '0 6 * * MON-FRI' }]);
  });
});

it('says what the server has against a schedule', async () => {
  const refused = { ...options, timezone: 'us/eastern' };
  for (const method of ['create', 'apply'] as const) {
    await expect(longhaul.schedules[method]('daily', refused)).rejects.toMatchObject({
      type: 'InvalidInput',
      message: 'Temporal refuses the schedule daily: unknown time zone us/eastern',
    });
  }
});

it('refuses a second schedule of that name, and applies a change', async () => {
  await expect(longhaul.schedules.create('daily', options)).rejects.toMatchObject({ type: 'ScheduleExists' });
  await longhaul.schedules.pause('daily', 'holidays');
  const { cron: _cron, note: _note, ...hourly } = options;
  expect(await longhaul.schedules.apply('daily', { ...hourly, every: '1h' })).toBe('updated');
  expect(await longhaul.schedules.describe('daily')).toMatchObject({
    cron: null,
    every: '1h',
    paused: true,
    note: 'holidays',
  });
  await longhaul.schedules.resume('daily');
  expect(await longhaul.schedules.describe('daily')).toMatchObject({ paused: false });
  expect(await longhaul.schedules.apply('other', { ...hourly, every: '2h' })).toBe('created');
  await longhaul.schedules.delete('other');
});

it('triggers a batch that is named after its time, and that a client can follow', async () => {
  const batchId = await longhaul.schedules.trigger('daily');
  expect(batchId).toMatch(/^daily-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const handle = await longhaul.attach(batchId);
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', rows: { succeeded: 3 } });
});

it('starts a batch for each trigger, also within one second and by several clients', async () => {
  const other = await world.connect();
  const ids = await Promise.all(
    [longhaul, other, longhaul].map(({ schedules }) => schedules.trigger('daily')),
  );
  expect(new Set(ids).size).toBe(3);
  const { recentBatches } = await longhaul.schedules.describe('daily');
  expect(recentBatches.map(({ batchId }) => batchId)).toEqual(expect.arrayContaining(ids));
});

it('makes up for past times, one batch for each', async () => {
  const end = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000);
  const start = new Date(end.getTime() - 3_600_000);
  await longhaul.schedules.backfill('daily', { start, end });
  const ids = [start, end].map((time) => `daily-${time.toISOString().replace('.000Z', 'Z')}`);
  await vi.waitFor(
    async () => {
      const listed = await collect(longhaul.list({ outcome: 'succeeded' }));
      expect(listed.map(({ batchId }) => batchId)).toEqual(expect.arrayContaining(ids));
    },
    { timeout: 90_000, interval: 500 },
  );
});

it('deletes a schedule, and knows it no more', async () => {
  await longhaul.schedules.delete('daily');
  await expect(longhaul.schedules.describe('daily')).rejects.toMatchObject({ type: 'UnknownSchedule' });
  await expect(longhaul.schedules.delete('daily')).rejects.toMatchObject({ type: 'UnknownSchedule' });
  await expect(longhaul.schedules.trigger('daily')).rejects.toMatchObject({ type: 'UnknownSchedule' });
});
