import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { FAILURE_TYPES } from '../../batch/failure-types.js';
import { CLI_FAILURES } from '../../cli/failures.js';
import { CLIENT_FAILURES } from '../../client/failures.js';
import { ROW_ERROR_TYPES } from '../../batch/rows.js';
import { errorsPage } from '../../scripts/errors-page.js';
import { readText, ROOT } from '../support/repository.js';

describe('docs/errors.md', () => {
  it('is what the registry of failures says; if not, run `npm run docs`', async () => {
    const style = await resolveConfig(`${ROOT}docs/errors.md`);
    expect(await readText('docs/errors.md')).toBe(
      await format(errorsPage(), { ...style, parser: 'markdown' }),
    );
  });

  it('gives every failure type a heading, its meaning and a remedy, and names every row error', async () => {
    const page = await readText('docs/errors.md');
    for (const [type, { meaning, remedy, ended }] of Object.entries(FAILURE_TYPES)) {
      expect(page).toContain(`\n### ${type}\n\n${meaning}\n`);
      expect(page).toContain(`- What to do: ${remedy}\n`);
      if (ended !== undefined) expect(page).toContain(`- When a batch ended with it: ${ended}\n`);
    }
    for (const [type, { meaning, remedy }] of Object.entries({ ...CLIENT_FAILURES, ...CLI_FAILURES })) {
      expect(page).toContain(`\n### ${type}\n\n${meaning}\n\n- What to do: ${remedy}\n`);
    }
    const all = [FAILURE_TYPES, CLIENT_FAILURES, CLI_FAILURES].flatMap((failures) => Object.keys(failures));
    expect([...page.matchAll(/^### (\w+)$/gm)].map(([, type]) => type)).toEqual(all);
    for (const type of ROW_ERROR_TYPES) expect(page).toContain(`| \`${type}\``);
  });
});
