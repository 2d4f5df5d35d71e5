import { expect, it } from 'vitest';
import { TemporalSchedules } from '../../client/schedules.js';
import { lazyTemporal } from '../support/lazy-temporal.js';

const METHODS = ['describe', 'pause', 'resume', 'trigger', 'backfill', 'delete'] as const;

function unreachable(): { schedules: TemporalSchedules; close(): Promise<void> } {
  const { temporal, close } = lazyTemporal();
  return { schedules: new TemporalSchedules(temporal), close };
}

it.each(METHODS)('%s refuses an id that is no string before it asks Temporal', async (method) => {
  const { schedules, close } = unreachable();
  const asked: unknown = Reflect.apply(schedules[method], schedules, [
    5,
    { start: new Date(1), end: new Date(2) },
  ]);
  await expect(asked).rejects.toMatchObject({
    type: 'InvalidInput',
    message: 'a schedule id must be a string; this is of type number',
  });
  await close();
});

it.each([
  ['the start is after the end', new Date(2), new Date(1)],
  ['one of them is no time', new Date(1), new Date(Number.NaN)],
  ['they are numbers', 1, 2],
])('a backfill is refused when %s', async (_case, start, end) => {
  const { schedules, close } = unreachable();
  const asked: unknown = Reflect.apply(schedules.backfill, schedules, ['nightly', { start, end }]);
  await expect(asked).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringMatching(/^a backfill’s start/),
  });
  await close();
});
