import type { WorkflowClient, WorkflowHandle } from '@temporalio/client';

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** The histories of a workflow's runs, from the first on: a new one begins at each continue-as-new. */
export async function runHistories(client: WorkflowClient, handle: WorkflowHandle): Promise<History[]> {
  const histories: History[] = [];
  let { runId } = await handle.describe();
  while (runId !== '') {
    const history = await client.getHandle(handle.workflowId, runId).fetchHistory();
    histories.unshift(history);
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
  }
  return histories;
}
