import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { endTable } from '../support/end-table.js';

/** Rows of the first table below a heading, without its head. */
function tableBelow(page: string, heading: string): string[][] {
  const [, below = ''] = page.split(`\n${heading}\n`);
  const lines = below.split('\n');
  const from = lines.findIndex((line) => line.startsWith('|'));
  const rows = lines.slice(
    from,
    lines.findIndex((line, n) => n > from && !line.startsWith('|')),
  );
  return rows.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

it('every way a job can end has its row in the guarantees, and each row its test', async () => {
  const page = await readFile(new URL('../../docs/guarantees.md', import.meta.url), 'utf8');
  expect(tableBelow(page, '## Every way a job can end')).toEqual(endTable());
});
