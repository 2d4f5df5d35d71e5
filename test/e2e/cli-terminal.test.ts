import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Screen } from '../support/screen.js';
import type { Terminal } from '../support/e2e-terminal.js';
import { CliFolder, QUICK } from './cli-support.js';

/*
 * The live block as a person sees it: `longhaul run` in a pseudo-terminal, on a model of its screen.
 */

const WIDE = { columns: 80, rows: 24 };
const NARROW = { columns: 40, rows: 24 };

let cli: CliFolder;
beforeAll(async () => {
  cli = await CliFolder.create({ rowErrorRate: 0.1 });
});
afterAll(() => cli.remove());
afterEach(async () => {
  await fetch(`${cli.emulator.url}/_emulator/faults`, { method: 'DELETE' });
});

async function run(id: string, size: typeof WIDE, jobSeconds: number, ...more: string[]): Promise<Terminal> {
  await cli.fault({ route: 'createJob', fault: { type: 'jobSeconds', seconds: jobSeconds } });
  const input = await cli.input(`${id}.jsonl`, 60);
  return cli.terminal(['run', input, ...QUICK, '--id', id, ...more], size);
}

/** The lines from the last one that begins with the batch's id and a phase. */
function block({ lines }: Screen, id: string): string[] {
  const start = lines.findLastIndex((line) => line.startsWith(`${id}  `));
  return start === -1 ? [] : lines.slice(start);
}

const BAR = /^ {2}━*─* {2}(\d+) \/ 60 rows {2}\d+ %$/;

/** How many rows the block says are done; null when no bar is shown. */
function rowsDone(screen: Screen, id: string): number | null {
  const [, bar = ''] = block(screen, id);
  const done = BAR.exec(bar)?.[1];
  return done === undefined ? null : Number(done);
}

const hasJob = (id: string) => (screen: Screen) => /shard 0 +round 1/.test(block(screen, id).join('\n'));

describe.each([
  ['wide', WIDE],
  ['narrow', NARROW],
] as const)('on a %s terminal', (id, size) => {
  it('the block stays in its lines, counts up only, and leaves screen and cursor as they should be', async () => {
    const terminal = await run(id, size, 3);
    const { screen } = terminal;
    await terminal.shows(hasJob(id));
    expect(screen.cursorVisible).toBe(false);
    const wraps = screen.wraps;
    const seen: number[] = [];
    // Two rounds: rows that failed are sent again.
    await terminal.shows(() => {
      const done = rowsDone(screen, id);
      if (done !== null) seen.push(done);
      return block(screen, id).some((line) => line.includes('round 2'));
    });
    expect(screen.wraps).toBe(wraps);
    const [title = '', bar = '', ...rest] = block(screen, id);
    expect(title).toBe(`${id}  running`);
    expect(bar).toMatch(BAR);
    expect(rest.at(-1)).toMatch(/^ {2}shard 0 {2}round 2 {2}[A-Z]+ +\d+\/\d+ /);
    for (const line of [title, bar, ...rest]) expect(line.length).toBeLessThan(size.columns);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen).size).toBeGreaterThan(1);
    expect([0, 3]).toContain(await terminal.ended);
    expect(screen.cursorVisible).toBe(true);
    const text = screen.allLines.join('\n');
    expect(text).toMatch(/outcome {2}(?:succeeded|partial)/);
    expect(text).not.toContain('━');
    expect(text.match(/Started/g)).toHaveLength(1);
  });
});

describe('a block on the screen', () => {
  it('survives changes of the terminal’s size, and gives way to Ctrl-C', async () => {
    const terminal = await run('resized', WIDE, 300);
    const { screen } = terminal;
    await terminal.shows(hasJob('resized'));
    const widthOfBar = () => block(screen, 'resized')[1]?.length ?? 0;
    expect(widthOfBar()).toBeGreaterThan(NARROW.columns);
    terminal.resize(NARROW.columns, NARROW.rows);
    await terminal.shows(
      () => widthOfBar() > 0 && widthOfBar() < NARROW.columns && hasJob('resized')(screen),
    );
    const wraps = screen.wraps;
    terminal.resize(WIDE.columns, WIDE.rows);
    await terminal.shows(() => widthOfBar() > NARROW.columns && hasJob('resized')(screen));
    expect(screen.wraps).toBe(wraps);
    terminal.press('\u0003');
    expect(await terminal.ended).toBe(130);
    expect(screen.cursorVisible).toBe(true);
    expect(block(screen, 'resized')).toEqual([]);
    expect(screen.allLines.join('\n')).toContain('Detached: resized goes on in the background.');
  });

  it('says on forty columns how a paused batch goes on', async () => {
    const terminal = await run('held', NARROW, 300);
    const { screen } = terminal;
    await terminal.shows(hasJob('held'));
    expect((await cli.run('pause', 'held')).code).toBe(0);
    const words = () =>
      block(screen, 'held')
        .map((line) => line.trim())
        .join(' ');
    await terminal.shows(() => words().includes('`longhaul resume held` goes on'));
    expect((await cli.run('cancel', 'held', '--discard')).code).toBe(0);
    expect(await terminal.ended).toBe(5);
    expect(screen.cursorVisible).toBe(true);
  });
});
