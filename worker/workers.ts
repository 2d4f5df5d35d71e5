import { Worker } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { NativeConnection, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';
import type { Activities } from '../activities/contract.js';
import { TASK_QUEUES } from '../batch/wire-names.js';
import type { Config } from '../schemas/config.js';

export interface WorkersOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Null: workflows only; queries and signals are answered, nothing is sent or read. */
  readonly activities: Activities | null;
  readonly workflowBundle: WorkflowBundleOption;
  readonly dataConverter: DataConverter;
  /** Calls per second to the provider over all workers of the queue; null: unlimited. */
  readonly requestsPerSecond: number | null;
  /** Null: unversioned, which takes every task. */
  readonly deployment: Config['deployment'];
  /** One machine, one worker, and somebody waits at a terminal: shut down and take over quickly. */
  readonly embedded: boolean;
}

/** Bulk I/O is bounded by these slots, and memory with it. */
const TRANSFER_SLOTS = 4;
const PROVIDER_SLOTS = 50;

/**
 * Grace: how long running activities may go on after a shutdown was asked for; then they are cancelled, and by the
 * forced end left to their time-outs. Sticky: how long a workflow waits for the worker that knew it before any worker takes
 * it up. That worker may have been killed, or stopped: its queue is not released at once then (measured, server 1.29.1:
 * nearly every workflow's next task waited this long). Being taken up costs a replay of some milliseconds.
 */
const TIMES = {
  embedded: { shutdownGraceTime: '3s', shutdownForceTime: '15s', stickyQueueScheduleToStartTimeout: '2s' },
  cluster: { shutdownGraceTime: '30s', shutdownForceTime: '60s', stickyQueueScheduleToStartTimeout: '3s' },
} as const;

/**
 * The SDK passes a heartbeat on only when four fifths of its time-out have passed, unless told otherwise: one that is
 * three seconds late would then end an attempt. This often, one may be lost.
 */
const HEARTBEAT_EVERY = '4s';

/** One worker per task queue, in one process. */
export async function createWorkers(options: WorkersOptions): Promise<Worker[]> {
  const { connection, namespace, activities, workflowBundle, requestsPerSecond, embedded } = options;
  const { dataConverter } = options;
  const common = {
    connection,
    namespace,
    dataConverter,
    maxHeartbeatThrottleInterval: HEARTBEAT_EVERY,
    ...TIMES[embedded ? 'embedded' : 'cluster'],
    ...versioning(options.deployment),
  };
  const workers = [await Worker.create({ ...common, taskQueue: TASK_QUEUES.workflows, workflowBundle })];
  if (activities === null) return workers;
  const { checkAccount, findJob, createJob, getJob, cancelJob, cleanup, ...transfer } = activities;
  workers.push(
    await Worker.create({
      ...common,
      taskQueue: TASK_QUEUES.provider,
      activities: { checkAccount, findJob, createJob, getJob, cancelJob, cleanup },
      maxConcurrentActivityTaskExecutions: PROVIDER_SLOTS,
      ...(requestsPerSecond === null ? {} : { maxTaskQueueActivitiesPerSecond: requestsPerSecond }),
    }),
    await Worker.create({
      ...common,
      taskQueue: TASK_QUEUES.transfer,
      activities: { ...transfer },
      maxConcurrentActivityTaskExecutions: TRANSFER_SLOTS,
    }),
  );
  return workers;
}

/**
 * Open batches move on to the version that was made current (AUTO_UPGRADE): one may last a week and more, and the workers
 * it began with should not have to. That it can move is what the replay suite is for (docs/versioning.md).
 */
function versioning(
  deployment: WorkersOptions['deployment'],
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (deployment === null) return {};
  const { name: deploymentName, buildId } = deployment;
  return {
    workerDeploymentOptions: {
      version: { deploymentName, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}

/**
 * Runs them until one ends or is told to; returns when all are drained, as they share a connection. Throws what the
 * first of them failed with.
 */
export async function runWorkers(
  workers: readonly Pick<Worker, 'run' | 'getState' | 'shutdown'>[],
): Promise<void> {
  const failures: unknown[] = [];
  const runs = workers.map(async (worker) => {
    try {
      await worker.run();
    } catch (error) {
      failures.push(error);
    } finally {
      for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
    }
  });
  await Promise.all(runs);
  if (failures.length > 0) throw failures[0];
}
