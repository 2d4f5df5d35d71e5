import { TASK_QUEUES } from '../batch/wire-names.js';
import type { Temporal } from './temporal.js';
import type { WorkerCount, WorkerVersion } from './types.js';

/** `TaskQueueType` of Temporal's API. */
const WORKFLOW_QUEUE = 1;
const ACTIVITY_QUEUE = 2;
/** `WorkerVersioningMode` of Temporal's API. */
const VERSIONED = 2;

/** The server lists a poller for minutes after it left; one that is there asks again within a minute. */
const POLLS_WITHIN_MS = 70_000;

/** What is read of Temporal's `DescribeTaskQueueResponse`, whose readers make any field optional. */
export interface TaskQueueDescription {
  readonly pollers: readonly Poller[];
  readonly versioningInfo?: Maybe<{
    readonly currentDeploymentVersion?: Maybe<NamedVersion>;
    readonly rampingDeploymentVersion?: Maybe<NamedVersion>;
    readonly rampingVersionPercentage?: Maybe<number>;
  }>;
}

interface Poller {
  readonly identity?: Maybe<string>;
  readonly lastAccessTime?: Maybe<{ readonly seconds?: unknown }>;
  readonly deploymentOptions?: Maybe<NamedVersion & { readonly workerVersioningMode?: Maybe<number> }>;
}

interface NamedVersion {
  readonly deploymentName?: Maybe<string>;
  readonly buildId?: Maybe<string>;
}

type Maybe<T> = T | null | undefined;

/** Who polls one task queue. */
export interface Pollers {
  /** Processes that may get its tasks. */
  readonly served: number;
  /** Versions that poll and get none; null: no version. */
  readonly passedOver: readonly (WorkerVersion | null)[];
}

export async function countWorkers(temporal: Temporal): Promise<WorkerCount> {
  const [workflows, provider, transfer] = await Promise.all([
    lookAt(temporal, TASK_QUEUES.workflows, WORKFLOW_QUEUE),
    lookAt(temporal, TASK_QUEUES.provider, ACTIVITY_QUEUE),
    lookAt(temporal, TASK_QUEUES.transfer, ACTIVITY_QUEUE),
  ]);
  return {
    workflows: workflows.served,
    provider: provider.served,
    transfer: transfer.served,
    passedOver: distinct([workflows, provider, transfer].flatMap(({ passedOver }) => passedOver)),
  };
}

async function lookAt(temporal: Temporal, name: string, taskQueueType: number): Promise<Pollers> {
  const description = await temporal.call((client) =>
    client.connection.workflowService.describeTaskQueue({
      namespace: temporal.namespace,
      taskQueue: { name },
      taskQueueType,
    }),
  );
  return pollersOf(description, Date.now());
}

/**
 * A worker is given tasks only if its version is the queue's current one, or the one that tasks are moved to. No current
 * version means workers that have none: so do servers answer that know no versions.
 */
export function pollersOf({ pollers, versioningInfo }: TaskQueueDescription, nowMs: number): Pollers {
  const chosen = [nameOf(versionOf(versioningInfo?.currentDeploymentVersion))];
  if ((versioningInfo?.rampingVersionPercentage ?? 0) > 0) {
    chosen.push(nameOf(versionOf(versioningInfo?.rampingDeploymentVersion)));
  }
  const since = (nowMs - POLLS_WITHIN_MS) / 1000;
  const served = new Set<string>();
  const passedOver: (WorkerVersion | null)[] = [];
  for (const { identity, lastAccessTime, deploymentOptions: options } of pollers) {
    if (Number(lastAccessTime?.seconds ?? 0) < since) continue;
    const version = options?.workerVersioningMode === VERSIONED ? versionOf(options) : null;
    if (chosen.includes(nameOf(version))) served.add(identity ?? '');
    else passedOver.push(version);
  }
  return { served: served.size, passedOver: distinct(passedOver) };
}

function versionOf(version: Maybe<NamedVersion>): WorkerVersion | null {
  return version ? { deploymentName: version.deploymentName ?? '', buildId: version.buildId ?? '' } : null;
}

function distinct(versions: readonly (WorkerVersion | null)[]): readonly (WorkerVersion | null)[] {
  const byName = new Map(versions.map((version) => [nameOf(version), version]));
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, version]) => version);
}

/** Neither part can have a line break in it. */
function nameOf(version: WorkerVersion | null): string {
  return version === null ? '' : `${version.deploymentName}\n${version.buildId}`;
}
