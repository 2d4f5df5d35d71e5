import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { FAULT_TYPES } from '../../emulator/faults/parse-fault.js';

it('what becomes of each fault is said in the guarantees', async () => {
  const page = await readFile(new URL('../../docs/guarantees.md', import.meta.url), 'utf8');
  const [, below = ''] = page.split('\n## Faults\n');
  const [section = ''] = below.split('\n## ');
  const cells = section.split('\n').map((line) => line.split('|')[1] ?? '');
  expect(FAULT_TYPES.filter((type) => !cells.some((cell) => cell.includes(`\`${type}\``)))).toEqual([]);
});
