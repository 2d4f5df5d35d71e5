import { setTimeout as pause } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';
import { msToTs } from '@temporalio/common/lib/time.js';
import { SEARCH_ATTRIBUTES } from '../../batch/wire-names.js';
import { createWorkers, runWorkers } from '../../worker/workers.js';
import type { WorkersOptions } from '../../worker/workers.js';
import { BatchUnderTest } from './batch-under-test.js';
import type { BatchOptions } from './batch-under-test.js';
import { runHistories } from './run-histories.js';
import { hookedActivities } from './fake-activities.js';
import { temporalCliPath, testServerPath } from './servers.js';

/** `temporal.api.enums.v1.IndexedValueType`. */
const INDEXED_VALUE_TYPE = { Keyword: 2, Int: 3 } as const;

const ANSWERS_WITHOUT_SKIP = 20;

/** The SDK waits five seconds for a server's port, which a JVM on a busy machine may need longer for. */
const STARTS = 4;

/**
 * The time-skipping server with Longhaul's own workers on it: real workflows, real activities over a temporary store,
 * a fake provider on the server's clock. Its time is one for all its batches, so a test file has one of these and runs
 * its tests one after another.
 */
export class WorkflowEnv {
  readonly server: TestWorkflowEnvironment;
  readonly folder: string;
  readonly #batches: Map<string, BatchUnderTest>;
  #workers: readonly Worker[] = [];
  #running: Promise<void> = Promise.resolve();

  static async start(workflowBundlePath: string): Promise<WorkflowEnv> {
    const executable = { type: 'existing-path', path: await testServerPath() } as const;
    return WorkflowEnv.#on(workflowBundlePath, () =>
      TestWorkflowEnvironment.createTimeSkipping({ server: { executable } }),
    );
  }

  /** The same on the real server, for what the time-skipping one does otherwise. Its time can't be skipped. */
  static async startReal(workflowBundlePath: string): Promise<WorkflowEnv> {
    const executable = { type: 'existing-path', path: await temporalCliPath() } as const;
    return WorkflowEnv.#on(workflowBundlePath, () =>
      TestWorkflowEnvironment.createLocal({ server: { executable } }),
    );
  }

  static async #on(
    workflowBundlePath: string,
    createServer: () => Promise<TestWorkflowEnvironment>,
  ): Promise<WorkflowEnv> {
    Runtime.install({
      logger: new DefaultLogger('ERROR', () => undefined),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    });
    const server = await startPatiently(createServer);
    const namespace = server.namespace ?? 'default';
    const searchAttributes = Object.fromEntries(
      Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, INDEXED_VALUE_TYPE[type]]),
    );
    await server.connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-workflow-'));
    const env = new WorkflowEnv(server, folder);
    await env.startWorkers(workflowBundlePath);
    return env;
  }

  private constructor(server: TestWorkflowEnvironment, folder: string) {
    this.server = server;
    this.folder = folder;
    this.#batches = new Map();
  }

  /** Workers with these workflows, of this version; those that run are drained before. */
  async startWorkers(
    workflowBundlePath: string,
    deployment: WorkersOptions['deployment'] = null,
  ): Promise<void> {
    await this.stopWorkers();
    this.#workers = await createWorkers({
      connection: this.server.nativeConnection,
      namespace: this.server.namespace ?? 'default',
      activities: hookedActivities((batchId) => {
        const batch = this.#batches.get(batchId);
        if (batch === undefined) throw new Error(`no batch ${batchId} in this test`);
        return batch;
      }),
      workflowBundle: { codePath: workflowBundlePath },
      requestsPerSecond: null,
      deployment,
      dataConverter: {},
      embedded: true,
    });
    this.#running = runWorkers(this.#workers);
    // Awaited when they are stopped; a worker that dies before is seen there.
    this.#running.catch(() => undefined);
  }

  async stopWorkers(): Promise<void> {
    for (const worker of this.#workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await this.#running;
  }

  async batch(batchId: string, options: BatchOptions = {}): Promise<BatchUnderTest> {
    if (this.server.supportsTimeSkipping) await this.freeTime();
    const batch = await BatchUnderTest.create(this, batchId, options);
    this.#batches.set(batchId, batch);
    return batch;
  }

  /**
   * The server holds its time while an activity runs, and keeps on holding it (seen in 1.38.0) for one that was
   * cancelled before it began or whose workflow closed before it ended. Between batches, and after a test terminated something, such holds are given back.
   */
  async freeTime(): Promise<void> {
    const { testService } = this.server.connection;
    if (testService === undefined) throw new Error('this is not the time-skipping server');
    const probe = { duration: msToTs(10_000) };
    // A clock that skips gets there at once. One that doesn't is told from a busy server by what that answers meanwhile:
    // a hold given back once too often breaks the server for good.
    const skips = async () => {
      let there = false;
      void testService.sleep(probe).then(() => (there = true));
      for (let answered = 0; answered < ANSWERS_WITHOUT_SKIP && !there; answered += 1) {
        await testService.getCurrentTime({});
        await pause(20);
      }
      return there;
    };
    await testService.unlockTimeSkipping({});
    while (!(await skips())) await testService.unlockTimeSkipping({});
    await testService.lockTimeSkipping({});
  }

  /** How many runs a workflow's chain has: one more than it continued as new. */
  async runsOf(handle: WorkflowHandle): Promise<number> {
    return (await runHistories(this.server.client.workflow, handle)).length;
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    await this.server.teardown();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function startPatiently(
  createServer: () => Promise<TestWorkflowEnvironment>,
): Promise<TestWorkflowEnvironment> {
  for (let start = 1; ; start += 1) {
    try {
      return await createServer();
    } catch (error) {
      if (start === STARTS) throw error;
      process.stderr.write(`the test server did not start, trying again: ${String(error)}\n`);
    }
  }
}
