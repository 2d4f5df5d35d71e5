import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BatchProgress } from '../../batch/progress.js';
import { NO_ROWS } from '../../batch/rows.js';
import type { Output } from '../../cli/output.js';
import { createProgressDisplay } from '../../cli/progress-display.js';
import type { ProgressDisplay } from '../../cli/progress-display.js';
import { Screen } from '../support/screen.js';

/** A terminal as `Output.stderr`, whose writes are seen on a screen. */
class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  columns = 80;
  rows = 24;
  readonly screen = new Screen(80, 24);

  write(text: string): boolean {
    this.screen.write(text.replaceAll('\n', '\r\n'));
    return true;
  }

  resize(columns: number): void {
    this.columns = columns;
    this.screen.resize(columns, this.rows);
    this.emit('resize');
  }
}

let terminal: FakeTerminal;
let display: ProgressDisplay;
let note: (text: string) => void;

beforeEach(async () => {
  terminal = new FakeTerminal();
  let diverted: ((text: string) => void) | null = null;
  note = (text) => (diverted === null ? terminal.write(`${text}\n`) : diverted(text));
  const output = {
    note,
    divertNotes: (write: typeof diverted) => void (diverted = write),
    stderr: terminal as unknown as NodeJS.WriteStream,
  } as Output;
  display = await createProgressDisplay(output, { quiet: false, env: {} });
});
afterEach(() => display.done());

function state(rowsDone: number, facts: Partial<BatchProgress> = {}): BatchProgress {
  return {
    batchId: 'tickets-0123456789ab',
    phase: 'running',
    paused: false,
    rows: { ...NO_ROWS, total: 200, succeeded: rowsDone, unanswered: 200 - rowsDone },
    rowsDone,
    shards: { total: 1, running: 1, done: 0 },
    jobs: [],
    running: [0],
    startedAt: '2026-11-22T12:00:00.000Z',
    etaAt: null,
    ...facts,
  };
}

describe('the live block', () => {
  it('stands below a note as soon as that is written', () => {
    display.show(state(50), null);
    note('the worker ended; starting it again');
    expect(terminal.screen.lines).toEqual([
      'the worker ended; starting it again',
      'tickets-0123456789ab  running',
      expect.stringContaining('50 / 200 rows  25 %'),
    ]);
    note('the worker runs again');
    display.show(state(60), null);
    expect(terminal.screen.lines).toEqual([
      'the worker ended; starting it again',
      'the worker runs again',
      'tickets-0123456789ab  running',
      expect.stringContaining('60 / 200 rows  30 %'),
    ]);
  });

  it('leaves a note alone that comes before it', () => {
    note('Started tickets-0123456789ab.');
    expect(terminal.screen.lines).toEqual(['Started tickets-0123456789ab.']);
    display.show(state(0), null);
    expect(terminal.screen.lines[1]).toBe('tickets-0123456789ab  running');
  });

  it('never counts backwards', () => {
    display.show(state(150), null);
    display.show(state(140), null);
    expect(terminal.screen.lines[1]).toContain('150 / 200 rows  75 %');
    display.show(state(160), null);
    expect(terminal.screen.lines[1]).toContain('160 / 200 rows  80 %');
  });

  it('is drawn anew for a terminal of another width', () => {
    display.show(state(50), null);
    terminal.resize(40);
    expect(terminal.screen.lines).toHaveLength(2);
    expect(terminal.screen.lines[1]).toMatch(/^ {2}━+─+ {2}50 \/ 200 rows {2}25 %$/);
    expect(terminal.screen.lines[1]?.length).toBeLessThan(40);
    expect(terminal.screen.wraps).toBe(0);
  });

  it('is gone at the end, with nothing that listens on', () => {
    note('Started.');
    display.show(state(50), null);
    display.done();
    note('Done.');
    expect(terminal.screen.lines).toEqual(['Started.', 'Done.']);
    expect(terminal.listenerCount('resize')).toBe(0);
  });
});
