import { describe, expect, it } from 'vitest';
import { chaosTable, withChaosTable } from '../chaos/table.js';
import { POINTS, VICTIMS } from '../chaos/matrix.js';
import { readText } from '../support/repository.js';

const NAMES = POINTS.map(({ name }) => name);
const kept = POINTS.map(({ name }) => ({ point: name, sent: 4, accepted: 4 }));
const SERIES = { point: null, sent: 4, accepted: 4 };

const TABLE = /<!-- crash matrix:[^]*<!-- end of the crash matrix -->/;

/** Names of the points that a page's table lists. */
function listedPoints(page: string): string[] {
  const table = TABLE.exec(page)?.[0] ?? '';
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:killed at|---)/.test(line));
  return rows.flatMap((row) => {
    const [name = '', ...cells] = row
      .split('|')
      .slice(1, -1)
      .map((text) => text.trim());
    return VICTIMS.flatMap((victim, index) => ((cells[index] ?? '–') === '–' ? [] : [`${name} × ${victim}`]));
  });
}

describe('the table of the crash matrix', () => {
  it('lists exactly the points that the matrix has', async () => {
    expect(listedPoints(await readText('docs/guarantees.md')).toSorted()).toEqual(NAMES.toSorted());
  });

  it('is that of a full run', async () => {
    const [table = ''] = TABLE.exec(await readText('docs/guarantees.md')) ?? [];
    expect(table).not.toMatch(/not run yet|No full run/);
    expect(table).toMatch(/commit `[0-9a-f]{12}`/);
  });

  it('says on which commit it was measured, and nothing of points that were not run', () => {
    const table = chaosTable({ results: [...kept, SERIES], commit: 'abc1234' });
    expect(table).toContain(`commit \`abc1234\`, ${POINTS.length} points and 1 series of kills at random`);
    expect(listedPoints(table)).toEqual(NAMES);
    expect(chaosTable(null)).not.toContain('kept');
  });

  it('is not written by a run that lacks a point', () => {
    expect(() => chaosTable({ results: kept.slice(1), commit: 'abc1234' })).toThrow(NAMES[0]);
  });

  it('says how often a create was sent, and that a second job was cancelled', () => {
    const [first = '', ...others] = NAMES;
    const late = NAMES.at(-1) ?? '';
    const results = others
      .filter((name) => name !== late)
      .map((point) => ({ point, sent: 4, accepted: 4 }))
      .concat({ point: first, sent: 5, accepted: 4 }, { point: late, sent: 5, accepted: 5 });
    const table = chaosTable({ results, commit: 'abc1234' });
    expect(table).toContain('kept; 5 creates, 4 jobs');
    expect(table).toContain('kept; 5 jobs, 1 cancelled and listed');
  });

  it('replaces the one before and nothing else', async () => {
    const page = await readText('docs/guarantees.md');
    const table = chaosTable({ results: kept, commit: 'abc1234' });
    const changed = withChaosTable(page, table);
    expect(changed).toContain(table);
    expect(changed.replace(table, '')).toBe(page.replace(TABLE, ''));
  });

  it('needs its markers', () => {
    expect(() => withChaosTable('# Guarantees', '')).toThrow('crash matrix');
  });
});
