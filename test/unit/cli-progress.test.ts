import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH_PHASES } from '../../batch/progress.js';
import type { BatchProgress, JobProgress } from '../../batch/progress.js';
import { NO_ROWS } from '../../batch/rows.js';
import { isHandedOver } from '../../cli/follow.js';
import { PLAIN } from '../../cli/paint.js';
import { plainLine, renderBlock, troubleLine } from '../../cli/progress-block.js';
import type { ProgressView } from '../../cli/progress-block.js';
import { RateMeter } from '../../cli/rate-meter.js';

function job(shard: number, facts: Partial<JobProgress> = {}): JobProgress {
  return {
    shard,
    round: 1,
    jobId: `job-${shard}`,
    status: 'RUNNING',
    requests: 100,
    completed: 25,
    failed: 0,
    nextPollAt: null,
    ...facts,
  };
}

function progress(facts: Partial<BatchProgress> = {}): BatchProgress {
  return {
    batchId: 'tickets-0123456789ab',
    phase: 'running',
    paused: false,
    rows: { ...NO_ROWS, total: 200, unanswered: 200 },
    rowsDone: 50,
    shards: { total: 2, running: 2, done: 0 },
    jobs: [job(1), job(0)],
    running: [0, 1],
    startedAt: '2026-11-22T12:00:00.000Z',
    etaAt: null,
    ...facts,
  };
}

function view(facts: Partial<ProgressView> = {}): ProgressView {
  return { progress: progress(), rowsPerSecond: null, leftMs: null, trouble: null, ...facts };
}

describe('live block', () => {
  it('shows phase, rows, rate, time left and jobs by shard', () => {
    expect(renderBlock(view({ rowsPerSecond: 12.4, leftMs: 95_000 }), 80, PLAIN)).toEqual([
      'tickets-0123456789ab  running',
      `  ${'━'.repeat(10)}${'─'.repeat(30)}  50 / 200 rows  25 %`,
      '  12 rows/s · about 1m 35s left · 0 of 2 shards done',
      '  shard 0  round 1  RUNNING  25/100  job-0',
      '  shard 1  round 1  RUNNING  25/100  job-1',
    ]);
  });

  it('says what a waiting batch asks of its reader, and what is tried again', () => {
    const trouble = { what: 'the provider is unavailable', why: '503', remedy: null, attempt: 3 };
    const lines = renderBlock(
      view({ progress: progress({ phase: 'waiting-for-auth' }), trouble }),
      200,
      PLAIN,
    );
    expect(lines.at(-2)).toContain('longhaul resume tickets-0123456789ab');
    expect(lines.at(-1)).toBe('  attempt 3: the provider is unavailable, trying again: 503');
  });

  it('names no more than eight jobs, and how many there are beyond', () => {
    const jobs = Array.from({ length: 11 }, (_, shard) => job(shard));
    expect(renderBlock(view({ progress: progress({ jobs }) }), 80, PLAIN).at(-1)).toBe('  and 3 more jobs');
  });

  it('fits any width, whatever the numbers are', () => {
    const count = fc.nat({ max: 2_000_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 200 }),
        count,
        count,
        fc.constantFrom(...BATCH_PHASES),
        fc.string({ maxLength: 200 }),
        (width, total, done, phase, why) => {
          const rows = {
            ...NO_ROWS,
            total,
            succeeded: Math.min(done, total),
            unanswered: Math.max(0, total - done),
          };
          const lines = renderBlock(
            view({
              progress: progress({ rows, rowsDone: rows.succeeded, phase, jobs: [] }),
              leftMs: done,
              trouble: { what: 'createJob fails', why, remedy: null, attempt: 2 },
            }),
            width,
            PLAIN,
          );
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
          expect(lines.slice(0, 3).join('\n')).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
    );
  });

  it('says 100 % only when all is done', () => {
    const rows = { ...NO_ROWS, total: 100_000, succeeded: 99_999, unanswered: 1 };
    const lines = renderBlock(view({ progress: progress({ rows, rowsDone: 99_999, jobs: [] }) }), 80, PLAIN);
    expect(lines[1]).toContain('99,999 / 100,000 rows  99 %');
  });
});

describe('plain lines', () => {
  it('are written for a new phase, job status, tenth of the rows or trouble, and for nothing else', () => {
    const before = view();
    expect(plainLine(before, null)).toBe(
      'tickets-0123456789ab: running, 50 of 200 rows, shard 0 round 1 RUNNING job-0, shard 1 round 1 RUNNING job-1',
    );
    const isWritten = (facts: Partial<BatchProgress>): boolean =>
      plainLine(view({ progress: progress(facts) }), before) !== null;
    expect(isWritten({})).toBe(false);
    expect(isWritten({ rowsDone: 59, jobs: [job(0, { completed: 34 }), job(1)] })).toBe(false);
    expect(isWritten({ rowsDone: 60 })).toBe(true);
    expect(isWritten({ jobs: [job(0, { status: 'SUCCESS' }), job(1)] })).toBe(true);
    expect(isWritten({ phase: 'paused' })).toBe(true);
  });

  it('repeat nothing for a further attempt at the same', () => {
    const trouble = { what: 'the provider is unavailable', why: '503', remedy: null, attempt: 2 };
    const before = view({ trouble });
    expect(plainLine(before, view())).toContain('the provider is unavailable, trying again: 503');
    expect(plainLine(view({ trouble: { ...trouble, why: 'ECONNRESET', attempt: 9 } }), before)).toBeNull();
  });
});

describe('without progress', () => {
  const trouble = { what: 'the provider is unavailable', why: '503', remedy: null, attempt: 2 };
  const waiting = view({ progress: progress({ phase: 'waiting-for-auth' }) });

  it('what stops a batch is said once, and that it goes on', () => {
    expect(troubleLine(view(), null)).toBeNull();
    expect(troubleLine(view({ trouble }), null)).toBe(
      'tickets-0123456789ab: the provider is unavailable, trying again: 503',
    );
    const later = view({ trouble: { ...trouble, why: 'ECONNRESET', attempt: 9 } });
    expect(troubleLine(later, view({ trouble }))).toBeNull();
    expect(troubleLine(waiting, later)).toContain('longhaul resume tickets-0123456789ab');
    expect(troubleLine(view(), waiting)).toBe('tickets-0123456789ab goes on');
  });

  it('progress and the end are not said', () => {
    expect(troubleLine(view({ progress: progress({ rowsDone: 190 }) }), view())).toBeNull();
    expect(troubleLine(view({ progress: progress({ phase: 'done' }) }), waiting)).toBeNull();
  });
});

describe('rate', () => {
  it('is that of the last minute', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 600; second += 10) {
      // 100 rows per second at first, 1 in the end.
      meter.add(second * 1000, second <= 300 ? second * 100 : 30_000 + second - 300);
    }
    expect(meter.perSecond).toBeCloseTo(1);
    expect(meter.timeLeft(60)).toBeCloseTo(60_000);
  });

  it('is unknown before there is anything to go by', () => {
    const meter = new RateMeter();
    expect(meter.perSecond).toBeNull();
    meter.add(0, 0);
    meter.add(500, 10);
    expect(meter.perSecond).toBeNull();
    meter.add(2_000, 0);
    expect(meter.timeLeft(10)).toBeNull();
  });
});

describe('handing over', () => {
  it('waits for the jobs of the first window, or for a batch that does not advance by itself', () => {
    expect(isHandedOver(progress({ phase: 'preparing' }), 4)).toBe(false);
    expect(isHandedOver(progress({ jobs: [job(0)] }), 4)).toBe(false);
    expect(isHandedOver(progress({ jobs: [job(0)] }), 1)).toBe(true);
    expect(isHandedOver(progress(), 4)).toBe(true);
    expect(isHandedOver(progress({ shards: { total: 0, running: 0, done: 0 }, jobs: [] }), 4)).toBe(false);
    for (const phase of ['paused', 'waiting-for-quota', 'waiting-for-auth', 'done'] as const) {
      expect(isHandedOver(progress({ phase, jobs: [] }), 4)).toBe(true);
    }
  });
});
