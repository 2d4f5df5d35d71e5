import type { DataConverter } from '@temporalio/common';
import type { NativeConnectionOptions, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/create-activities.js';
import type { Config } from '../schemas/config.js';
import { createPayloadCodec } from '../client/payload-codec.js';
import { SEALED_BUNDLE_PATH, SEALED_FAILURES_PATH, WORKFLOW_BUNDLE_PATH } from './bundle-path.js';
import { readCodecKeys } from './codec-keys.js';
import { composeDeps } from './compose.js';
import { connectNative } from './connect.js';
import { assertSearchAttributes } from './search-attributes.js';
import { createWorkers, runWorkers } from './workers.js';

export interface LonghaulWorkerOptions {
  readonly config: Config;
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  /** `workflow-only`: answers queries and signals of running batches, does none of their work. */
  readonly role: 'full' | 'workflow-only';
  readonly userAgent?: string;
  /** The worker of an embedded server: shuts down and takes over quickly. Default false. */
  readonly embedded?: boolean;
}

export interface LonghaulWorker {
  /** Resolves when all is drained after `shutdown`; rejects when a worker dies. */
  run(): Promise<void>;
  shutdown(): void;
}

/** A worker for all of Longhaul's task queues, ready to run. */
export async function createLonghaulWorker(options: LonghaulWorkerOptions): Promise<LonghaulWorker> {
  const { config, namespace, role, embedded = false } = options;
  const sealing = sealingOf(await readCodecKeys(config));
  const connection = await connectNative(options.connection);
  const deps = composeDeps(config, { userAgent: options.userAgent ?? 'longhaul', embedded });
  let workers: Worker[];
  try {
    await assertSearchAttributes(connection, namespace);
    workers = await createWorkers({
      connection,
      namespace,
      activities: role === 'full' ? createActivities(deps) : null,
      ...sealing,
      requestsPerSecond: config.requestsPerSecond,
      // Nobody makes a version current on an embedded server, so its one worker takes every task.
      deployment: embedded ? null : config.deployment,
      embedded,
    });
  } catch (error) {
    await deps.close();
    await connection.close();
    throw error;
  }
  return {
    run: async () => {
      try {
        await runWorkers(workers);
      } finally {
        await deps.close();
        await connection.close();
      }
    },
    shutdown: () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

/** With keys everything that the worker gives to Temporal is encrypted; without, what others encrypted is named. */
function sealingOf(codecKeys: string): {
  readonly workflowBundle: { readonly codePath: string };
  readonly dataConverter: DataConverter;
} {
  const codec = createPayloadCodec(codecKeys);
  const payloadCodecs = [codec];
  if (!codec.seals) {
    return { workflowBundle: { codePath: WORKFLOW_BUNDLE_PATH }, dataConverter: { payloadCodecs } };
  }
  return {
    workflowBundle: { codePath: SEALED_BUNDLE_PATH },
    dataConverter: { payloadCodecs, failureConverterPath: SEALED_FAILURES_PATH },
  };
}
