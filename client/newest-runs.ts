import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPES } from '../batch/wire-names.js';
import type { BatchDescription } from './batch-description.js';
import type { Temporal } from './temporal.js';

/** Runs that are looked up by one query: what is kept in memory of a list of any length. */
const AT_ONCE = 50;

type Run = Pick<BatchDescription, 'batchId' | 'runId' | 'open'>;

/**
 * Leaves out the runs that a later one of the same batch has superseded. Which is the newest is asked for, because a
 * filter may let only an older one through.
 */
export async function* newestOnly<R extends Run>(
  runs: AsyncIterable<R>,
  newestRunIds: (batchIds: readonly string[]) => Promise<ReadonlyMap<string, string>>,
): AsyncGenerator<R> {
  const keep = async (some: readonly R[]): Promise<R[]> => {
    // Temporal has at most one open run of an id, and that is its newest.
    const closed = some.filter(({ open }) => !open).map(({ batchId }) => batchId);
    const newest = closed.length === 0 ? new Map<string, string>() : await newestRunIds([...new Set(closed)]);
    return some.filter(({ batchId, runId, open }) => open || (newest.get(batchId) ?? runId) === runId);
  };
  let some: R[] = [];
  for await (const run of runs) {
    some.push(run);
    if (some.length < AT_ONCE) continue;
    yield* await keep(some);
    some = [];
  }
  yield* await keep(some);
}

/** The latest run of each of some batches, as visibility knows them. */
export async function newestRunIds(
  temporal: Temporal,
  batchIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ids = batchIds.map(quoted).join(', ');
  const query = `WorkflowType='${WORKFLOW_TYPES.runBatch}' AND WorkflowId IN (${ids})`;
  const newest = new Map<string, { readonly runId: string; readonly startedAt: number }>();
  for await (const info of temporal.stream((client: Client) => client.workflow.list({ query }))) {
    const { workflowId, runId, startTime } = info;
    const known = newest.get(workflowId);
    if (known === undefined || known.startedAt < startTime.getTime()) {
      newest.set(workflowId, { runId, startedAt: startTime.getTime() });
    }
  }
  return new Map([...newest].map(([batchId, { runId }]) => [batchId, runId]));
}

/** Other tools may have started a batch under an id that Longhaul refuses. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
