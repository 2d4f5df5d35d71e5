import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { newTimeline, openStatusAt, plannedEnd, shareAt } from '../../emulator/jobs/timeline.js';
import type { Timeline } from '../../emulator/jobs/timeline.js';

const BASE = newTimeline(1_000_000, 10_000, 3_600_000);

const timelines = fc
  .record({
    createdAt: fc.integer({ min: 0, max: 1e12 }),
    jobMs: fc.integer({ min: 0, max: 1e7 }),
    timeoutMs: fc.integer({ min: 1, max: 1e7 }),
    stuck: fc.boolean(),
    cancelLosesRace: fc.boolean(),
    cancel: fc.option(
      fc.record({ after: fc.integer({ min: 0, max: 1e7 }), lasts: fc.integer({ min: 0, max: 1e5 }) }),
    ),
    forcedShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ createdAt, jobMs, timeoutMs, stuck, cancelLosesRace, cancel, forcedShare }): Timeline => ({
    ...newTimeline(createdAt, jobMs, timeoutMs),
    stuck,
    cancelLosesRace,
    cancel:
      cancel === null
        ? null
        : { requestedAt: createdAt + cancel.after, endsAt: createdAt + cancel.after + cancel.lasts },
    forced: forcedShare === null ? null : { status: 'FAILED', share: forcedShare },
  }));

describe('the share of rows answered', () => {
  test('stays in 0..1 and never falls', () => {
    fc.assert(
      fc.property(timelines, fc.nat(2e7), fc.nat(2e7), (timeline, first, further) => {
        const early = shareAt(timeline, timeline.createdAt + first);
        const late = shareAt(timeline, timeline.createdAt + first + further);
        expect(early).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(1);
        expect(late).toBeGreaterThanOrEqual(early);
      }),
    );
  });

  test('never exceeds what the job ends with', () => {
    fc.assert(
      fc.property(timelines, (timeline) => {
        const end = plannedEnd(timeline);
        fc.pre(end.at !== Number.POSITIVE_INFINITY);
        expect(shareAt(timeline, end.at)).toBeLessThanOrEqual(end.share);
      }),
    );
  });

  test('grows evenly between the start and the end', () => {
    expect([1_000_000, 1_001_000, 1_005_500, 1_010_000].map((now) => shareAt(BASE, now))).toEqual([
      0, 0, 0.5, 1,
    ]);
  });
});

describe('the end', () => {
  test('is SUCCESS with all rows when the time has passed', () => {
    expect(plannedEnd(BASE)).toEqual({ at: 1_010_000, status: 'SUCCESS', share: 1 });
  });

  test('is TIMEOUT_EXCEEDED if the timeout comes first, stuck or not', () => {
    const short = { ...BASE, timeoutAt: 1_005_500 };
    expect(plannedEnd(short)).toEqual({ at: 1_005_500, status: 'TIMEOUT_EXCEEDED', share: 0.5 });
    expect(plannedEnd({ ...short, stuck: true })).toEqual({
      at: 1_005_500,
      status: 'TIMEOUT_EXCEEDED',
      share: 0,
    });
  });

  test('is CANCELLED with what was answered when the cancel came, or SUCCESS if the cancel loses the race', () => {
    const cancelled = { ...BASE, cancel: { requestedAt: 1_005_500, endsAt: 1_006_000 } };
    expect(plannedEnd(cancelled)).toEqual({ at: 1_006_000, status: 'CANCELLED', share: 0.5 });
    expect(plannedEnd({ ...cancelled, cancelLosesRace: true })).toMatchObject({
      at: 1_006_000,
      status: 'SUCCESS',
    });
  });
});

test('a job is QUEUED until its start has come and its input has been read', () => {
  expect(openStatusAt(BASE, 1_000_999, true)).toBe('QUEUED');
  expect(openStatusAt(BASE, 1_001_000, false)).toBe('QUEUED');
  expect(openStatusAt(BASE, 1_001_000, true)).toBe('RUNNING');
  expect(openStatusAt({ ...BASE, stuck: true }, 1_009_000, true)).toBe('QUEUED');
  expect(openStatusAt({ ...BASE, cancel: { requestedAt: 1, endsAt: 2 } }, 1_000_000, false)).toBe(
    'CANCELLATION_REQUESTED',
  );
});
