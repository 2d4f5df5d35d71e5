import { expect, it } from 'vitest';
import type { BatchPhase, BatchProgress } from '../../batch/progress.js';
import { NO_ROWS } from '../../batch/rows.js';
import { resumedLine } from '../../cli/resume.js';

function said(phase: BatchPhase, paused = false): string {
  const before: BatchProgress = {
    batchId: 'b',
    phase,
    paused,
    rows: { ...NO_ROWS, unanswered: 0 },
    rowsDone: 0,
    shards: { total: 1, running: 1, done: 0 },
    jobs: [],
    running: [],
    startedAt: '2026-11-22T12:00:00.000Z',
    etaAt: null,
  };
  return resumedLine('b', before, ' in the background');
}

it('resume says what it changed, and when it changed nothing', () => {
  expect(said('paused', true)).toBe('b goes on in the background.');
  expect(said('waiting-for-auth')).toBe('b was waiting-for-auth; it tries again now in the background.');
  expect(said('running')).toBe('b was not paused and waits for nothing: it is running in the background.');
  expect(said('cancelling')).toContain('it is cancelling');
});
