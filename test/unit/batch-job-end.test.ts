import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { unansweredRows } from '../../batch/job-end.js';
import type { JobEnd } from '../../batch/job-end.js';
import { isTerminal, JOB_PHASES } from '../../batch/job-phase.js';

function end(over: Partial<JobEnd>): JobEnd {
  return { phase: 'succeeded', answered: 0, outputGone: false, deadlinePassed: false, quota: false, ...over };
}

const FINAL = false;
const NEXT_ROUND = true;

describe('rows that an ended job left without an answer', () => {
  it.each([
    ['SUCCESS', { phase: 'succeeded', answered: 5 }, 'missing', NEXT_ROUND],
    ['SUCCESS without any answer', { phase: 'succeeded' }, 'missing', NEXT_ROUND],
    ['TIMEOUT_EXCEEDED', { phase: 'expired' }, 'expired', NEXT_ROUND],
    ['TIMEOUT_EXCEEDED after the deadline', { phase: 'expired', deadlinePassed: true }, 'expired', FINAL],
    ['FAILED, something answered', { phase: 'failed', answered: 1 }, 'missing', NEXT_ROUND],
    [
      'FAILED for quota, something answered',
      { phase: 'failed', answered: 1, quota: true },
      'missing',
      NEXT_ROUND,
    ],
    ['FAILED, nothing answered', { phase: 'failed' }, 'job_failed', FINAL],
    ['FAILED for quota, nothing answered', { phase: 'failed', quota: true }, 'job_failed', NEXT_ROUND],
    ['CANCELLED', { phase: 'cancelled', answered: 3 }, 'cancelled', FINAL],
    ['CANCELLED by the deadline', { phase: 'cancelled', deadlinePassed: true }, 'expired', FINAL],
    ['deleted', { phase: 'deleted' }, 'output_gone', FINAL],
    ['output gone', { phase: 'succeeded', outputGone: true }, 'output_gone', FINAL],
  ] as const)('%s', (_, over, error, retryable) => {
    expect(unansweredRows(end(over))).toEqual({ error, retryable });
  });

  it('are never bought twice when an answer was given and is gone', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<JobEnd['phase']>('succeeded', 'expired', 'failed', 'cancelled', 'deleted'),
        fc.nat(),
        fc.boolean(),
        fc.boolean(),
        (phase, answered, deadlinePassed, quota) => {
          const given = { phase, answered, outputGone: true, deadlinePassed, quota };
          expect(unansweredRows(given)).toEqual({ error: 'output_gone', retryable: false });
        },
      ),
    );
  });
});

test('a job has ended in four phases; an unknown one is polled on', () => {
  expect(JOB_PHASES.filter(isTerminal)).toEqual(['succeeded', 'failed', 'expired', 'cancelled']);
});
