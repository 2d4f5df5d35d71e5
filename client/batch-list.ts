import { OUTCOMES } from '../batch/outcome.js';
import { BATCH_PHASES } from '../batch/progress.js';
import { WORKFLOW_TYPES } from '../batch/wire-names.js';
import { assertOptions } from './assert-options.js';
import { toDescription } from './batch-description.js';
import type { BatchDescription } from './batch-description.js';
import { LonghaulError } from './failures.js';
import { newestOnly, newestRunIds } from './newest-runs.js';
import { assertSetUp } from './setup.js';
import type { Temporal } from './temporal.js';
import type { BatchListEntry, ListOptions } from './types.js';

const PAGE = 200;

/** Temporal's visibility query for the options. */
export function listQuery({ phase, outcome }: ListOptions): string {
  const conditions = [`WorkflowType='${WORKFLOW_TYPES.runBatch}'`];
  // Values of fixed sets need no quoting.
  if (phase !== undefined) conditions.push(`LonghaulPhase='${oneOf('phase', phase, BATCH_PHASES)}'`);
  if (outcome !== undefined) conditions.push(`LonghaulOutcome='${oneOf('outcome', outcome, OUTCOMES)}'`);
  return conditions.join(' AND ');
}

export async function* listBatches(temporal: Temporal, options: ListOptions): AsyncGenerator<BatchListEntry> {
  assertOptions('list', options, { limit: 'number' });
  const query = listQuery(options);
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  // Temporal's own words about an attribute that it does not know help nobody.
  await assertSetUp(temporal);
  const runs = newestOnly(runsOf(temporal, query), (batchIds) => newestRunIds(temporal, batchIds));
  for await (const run of runs) {
    const { open: _open, runId: _run, fingerprint: _print, summary: _summary, ...entry } = run;
    yield entry;
    left -= 1;
    if (left <= 0) return;
  }
}

async function* runsOf(temporal: Temporal, query: string): AsyncGenerator<BatchDescription> {
  const listed = temporal.stream((client) => client.workflow.list({ query, pageSize: PAGE }));
  for await (const info of listed) yield toDescription(info);
}

function oneOf(name: string, value: string, known: readonly string[]): string {
  if (known.includes(value)) return value;
  throw new LonghaulError(
    'InvalidInput',
    `${name} ${JSON.stringify(value)} is not one of ${known.join(', ')}`,
  );
}
