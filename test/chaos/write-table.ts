import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { chaosTable, withChaosTable } from './table.js';

/** Vitest's JSON report, as far as it concerns us; scripts/chaos.mjs passes its path and the commit. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          meta: z.object({
            chaos: z
              .object({ point: z.string().nullable(), sent: z.number(), accepted: z.number() })
              .optional(),
          }),
        }),
      ),
    }),
  ),
});

const [reportPath = '', commit = ''] = process.argv.slice(2);
const { testResults } = reportSchema.parse(JSON.parse(await readFile(reportPath, 'utf8')));
const kept = testResults
  .flatMap(({ assertionResults }) => assertionResults)
  .flatMap(({ meta: { chaos } }) => (chaos === undefined ? [] : [chaos]));

const page = new URL('../../docs/guarantees.md', import.meta.url);
const style = await resolveConfig(page);
const text = withChaosTable(await readFile(page, 'utf8'), chaosTable({ results: kept, commit }));
await writeFile(page, await format(text, { ...style, parser: 'markdown' }));
