import type { ScheduleDescription } from '@temporalio/client';
import { expect, it } from 'vitest';
import { detailLines } from '../../cli/schedule-look.js';
import { toScheduleDetails } from '../../client/schedule-entry.js';

/** What Temporal says of a schedule, as far as it is read. */
function described(facts: { paused: boolean; cron?: string; timezone: string }): ScheduleDescription {
  const { paused, cron, timezone } = facts;
  const description: unknown = {
    scheduleId: 'nightly',
    spec: {
      timezone,
      calendars: cron === undefined ? [] : [{ comment: cron }],
      intervals: cron === undefined ? [{ every: 3_600_000, offset: 0 }] : [],
    },
    action: { type: 'startWorkflow', args: [] },
    policies: { overlap: 'BUFFER_ONE' },
    state: { paused },
    info: {
      nextActionTimes: [new Date('2026-11-23T02:00:00Z')],
      recentActions: [],
      runningActions: [],
      createdAt: new Date('2026-11-22T12:00:00Z'),
    },
  };
  return description as ScheduleDescription;
}

it('a schedule says when it fires, by its cron expression and time zone or its interval', () => {
  const cron = toScheduleDetails(described({ paused: false, cron: '0 2 * * *', timezone: 'Europe/Paris' }));
  expect(detailLines(cron)).toEqual([
    'schedule  nightly',
    'state     active',
    'input     not readable',
    'when      0 2 * * * (Europe/Paris)',
    'overlap   buffer-one',
    'created   2026-11-22 12:00:00 UTC',
    'next      2026-11-23 02:00:00 UTC',
    'running   none',
    'recent    none',
  ]);
  expect(detailLines(toScheduleDetails(described({ paused: false, timezone: '' })))).toContain(
    'when      every 1h',
  );
});

it('Temporal’s default time zone is called by its name', () => {
  const details = toScheduleDetails(described({ paused: false, cron: '0 2 * * *', timezone: '' }));
  expect(details.timezone).toBe('UTC');
  expect(detailLines(details)).toContain('when      0 2 * * * (UTC)');
});

it('a paused schedule has no next time', () => {
  const details = toScheduleDetails(described({ paused: true, timezone: '' }));
  expect(details.nextTimes).toEqual([]);
  expect(detailLines(details)).toContain('next      none while it is paused');
});
