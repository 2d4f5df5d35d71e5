import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TemporalSchedules } from '../../client/schedules.js';
import type { ScheduleOptions } from '../../client/types.js';
import { lazyTemporal } from '../support/lazy-temporal.js';
import type { LazyTemporal } from '../support/lazy-temporal.js';

const OPTIONS: ScheduleOptions = {
  input: '/data/new.jsonl',
  endpoint: '/v1/chat/completions',
  model: 'mistral-small-latest',
  cron: '0 6 * * *',
};

let server: LazyTemporal;
let schedules: TemporalSchedules;
beforeEach(() => {
  server = lazyTemporal();
  schedules = new TemporalSchedules(server.temporal);
  const { operatorService } = server.connection;
  // No operator service, as in Temporal's cloud: whether the namespace is set up is not asked.
  vi.spyOn(operatorService, 'listSearchAttributes').mockRejectedValue(grpc(12, 'unimplemented'));
});
afterEach(() => server.close());

function grpc(code: number, details: string): Error {
  const name = code === 3 ? 'INVALID_ARGUMENT' : 'UNIMPLEMENTED';
  return Object.assign(new Error(`${code} ${name}: ${details}`), {
    code,
    details,
    metadata: { get: () => [] },
  });
}

describe('a schedule that the server refuses', () => {
  it.each([
    ['Invalid schedule spec: unknown time zone us/eastern', 'unknown time zone us/eastern'],
    ['Note exceeds size limit.', 'Note exceeds size limit.'],
  ])('is the caller’s to mend: %s', async (details, words) => {
    vi.spyOn(server.connection.workflowService, 'createSchedule').mockRejectedValue(grpc(3, details));
    await expect(schedules.create('nightly', OPTIONS)).rejects.toMatchObject({
      type: 'InvalidInput',
      message: `Temporal refuses the schedule nightly: ${words}`,
    });
  });
});

describe('a schedule whose batches could never run', () => {
  it.each([
    [{ provider: 'zz' }, 'there is no provider "zz"; known are: mistral'],
    [{ provider: 'toString' }, 'there is no provider "toString"'],
    [{ endpoint: '/v1/zzz' }, 'endpoint /v1/zzz is unknown to mistral; it has /v1/'],
    [{ input: '-' }, 'can’t be stdin'],
    [{ note: 5 }, 'note must be a text; this is of type number'],
  ])('is refused before anything is sent: %j', async (wrong, words) => {
    const created = vi
      .spyOn(server.connection.workflowService, 'createSchedule')
      .mockRejectedValue(grpc(3, 'sent'));
    for (const method of ['create', 'apply'] as const) {
      const asked: unknown = Reflect.apply(schedules[method], schedules, [
        'nightly',
        { ...OPTIONS, ...wrong },
      ]);
      await expect(asked).rejects.toMatchObject({
        type: 'InvalidInput',
        message: expect.stringContaining(words),
      });
    }
    expect(created).not.toHaveBeenCalled();
  });
});
