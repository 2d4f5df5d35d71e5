import { TASK_QUEUES } from '../batch/wire-names.js';
import type { Temporal } from './temporal.js';
import type { WorkerCount } from './types.js';

/** `TaskQueueType` of Temporal's API. */
const WORKFLOW_QUEUE = 1;
const ACTIVITY_QUEUE = 2;

/** The server lists a poller for minutes after it left; one that is there asks again within a minute. */
const POLLS_WITHIN_MS = 70_000;

export async function countWorkers(temporal: Temporal): Promise<WorkerCount> {
  const [workflows, provider, transfer] = await Promise.all([
    countPollers(temporal, TASK_QUEUES.workflows, WORKFLOW_QUEUE),
    countPollers(temporal, TASK_QUEUES.provider, ACTIVITY_QUEUE),
    countPollers(temporal, TASK_QUEUES.transfer, ACTIVITY_QUEUE),
  ]);
  return { workflows, provider, transfer };
}

async function countPollers(temporal: Temporal, name: string, taskQueueType: number): Promise<number> {
  const { pollers } = await temporal.call((client) =>
    client.connection.workflowService.describeTaskQueue({
      namespace: temporal.namespace,
      taskQueue: { name },
      taskQueueType,
    }),
  );
  const since = (Date.now() - POLLS_WITHIN_MS) / 1000;
  const present = (pollers ?? []).filter(
    ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) >= since,
  );
  return new Set(present.map(({ identity }) => identity)).size;
}
