import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem } from '../../client/cron.js';
import { scheduleSpec } from '../../client/schedule-spec.js';

describe('a cron expression', () => {
  it.each([
    '0 6 * * *',
    '*/15 8-18/2 1,15 JAN-MAR,dec MON-FRI',
    '5/10 0 31 12 7',
    '  0   0 1 1 0 ',
    '0 2 29 2 MON',
    '0 2 31 2,3 *',
    '0 2 31 */2 *',
    '*/59 */23 * * *',
    '@daily',
    '@Hourly',
  ])('is fine: %s', (text) => {
    expect(cronProblem(text)).toBeNull();
  });

  it.each([
    ['', 'five fields'],
    ['0 6 * *', 'five fields'],
    ['0 0 6 * * *', 'five fields'],
    ['60 * * * *', 'no minute'],
    ['0 24 * * *', 'no hour'],
    ['0 0 0 * *', 'no day of the month'],
    ['0 0 * 13 *', 'no month'],
    ['0 0 * * 8', 'no day of the week'],
    ['0 0 * * MON-', 'no day of the week'],
    ['30-10 * * * *', 'no minute'],
    ['*/0 * * * *', 'no minute'],
    ['1,,2 * * * *', 'no minute'],
    ['@reboot', 'one of @yearly'],
    ['*/90 * * * *', 'the minute’s step of 90 leads out'],
    ['0 0-12/24 * * *', 'the hour’s step of 24 leads out'],
    ['0 2 31 2 *', 'it would never run'],
    ['0 2 30,31 FEB *', 'it would never run'],
    ['0 2 31 4,6,9-9,11 MON', 'it would never run'],
    ['0 2 31/2 2-4/2 *', 'it would never run'],
    ['CRON_TZ=UTC 0 6 * * *', 'five fields'],
  ])('is refused in words: "%s"', (text, words) => {
    expect(cronProblem(text)).toContain(words);
  });

  it('of any numbers in range is fine, and just out of range is not', () => {
    const fields = [
      [0, 59],
      [0, 23],
      [1, 31],
      [1, 12],
      [0, 7],
    ] as const;
    const values = fc.tuple(...fields.map(([min, max]) => fc.integer({ min, max })));
    fc.assert(
      fc.property(values, fc.nat(4), (numbers, at) => {
        const [, , day, month] = numbers;
        fc.pre(new Date(Date.UTC(2024, (month ?? 1) - 1, day ?? 1)).getUTCDate() === day);
        expect(cronProblem(numbers.join(' '))).toBeNull();
        const [, max = 0] = fields[at] ?? [];
        expect(cronProblem(numbers.with(at, max + 1).join(' '))).not.toBeNull();
      }),
    );
  });
});

describe('a schedule', () => {
  it('has its expression as the server will show it, or an interval in milliseconds', () => {
    expect(scheduleSpec({ cron: ' 0 6 * * * ', every: undefined, timezone: 'Europe/Paris' })).toEqual({
      cronExpressions: ['0 6 * * * # 0 6 * * *'],
      timezone: 'Europe/Paris',
    });
    expect(scheduleSpec({ cron: undefined, every: '90m', timezone: undefined })).toEqual({
      intervals: [{ every: 5_400_000 }],
    });
  });

  it.each([
    ['europe/paris', 'Europe/Paris'],
    ['utc', 'UTC'],
    ['Europe/Paris', 'Europe/Paris'],
    // Other names of the same zone: the server knows both, and shows what it was given.
    ['Asia/Kolkata', 'Asia/Kolkata'],
    ['Asia/Calcutta', 'Asia/Calcutta'],
    ['GMT', 'GMT'],
  ])('has the time zone %s as the server writes it', (timezone, sent) => {
    expect(scheduleSpec({ cron: '@daily', timezone })).toMatchObject({ timezone: sent });
  });

  it.each([
    [{ cron: undefined, every: undefined }, 'either cron'],
    [{ cron: '@daily', every: '1h' }, 'either cron'],
    [{ every: '1500ms' }, 'whole seconds'],
    [{ every: '0s' }, 'whole seconds'],
    [{ every: 'hourly' }, 'whole seconds'],
    [{ every: '9000000h' }, 'it would never run'],
    [{ every: '1h', timezone: 'Mars/Olympus' }, 'no time zone'],
    [{ every: '1h', timezone: '+02:00' }, 'no time zone'],
    [{ cron: 'daily' }, 'five fields'],
  ])('is refused in words: %j', (options, words) => {
    expect(() => scheduleSpec(options)).toThrow(
      expect.objectContaining({ type: 'InvalidInput', message: expect.stringContaining(words) }),
    );
  });
});
