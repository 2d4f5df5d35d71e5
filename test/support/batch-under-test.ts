import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities, ActivityName } from '../../activities/contract.js';
import { createActivities } from '../../activities/create-activities.js';
import { layout, shardWorkflowId } from '../../batch/layout.js';
import type { BatchSummary, Manifest } from '../../batch/manifest.js';
import type { ShardProgress } from '../../batch/progress.js';
import { addsUp } from '../../batch/rows.js';
import { TASK_QUEUES, WORKFLOW_TYPES } from '../../batch/wire-names.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { resultLineSchema } from '../../schemas/result-line.js';
import type { RunBatchInput } from '../../schemas/run-batch-input.js';
import { openFileStore } from '../../storage/file.js';
import { shardProgressQuery } from '../../workflows/messages.js';
import type { runBatch } from '../../workflows/run-batch.js';
import type { runShard } from '../../workflows/run-shard.js';
import type { ActivityCall, ActivityHook, HookedBatch } from './fake-activities.js';
import { FakeProvider } from './fake-provider.js';
import type { FakeProviderOptions } from './fake-provider.js';
import { runHistories } from './run-histories.js';
import type { History } from './run-histories.js';
import { ServerClock } from './server-clock.js';
import { until } from './until.js';

export interface BatchOptions {
  readonly rows?: number;
  readonly input?: Partial<RunBatchInput>;
  readonly provider?: Omit<FakeProviderOptions, 'now'>;
  readonly createSettleMs?: number;
  readonly cancelWaitMs?: number;
  /** Replaces activities by others. */
  readonly activities?: (own: Activities) => Partial<Activities>;
}

/** One batch of a test: its provider, its store, the hooks around its activities, its workflows. */
export class BatchUnderTest implements HookedBatch {
  readonly batchId: string;
  readonly provider: FakeProvider;
  readonly activities: Activities;
  readonly calls: ActivityCall[] = [];
  readonly started: () => Promise<void>;
  readonly input: RunBatchInput;
  readonly storeFolder: string;
  readonly #server: TestWorkflowEnvironment;
  readonly #hooks: {
    readonly when: 'before' | 'after';
    readonly name: ActivityName;
    readonly hook: ActivityHook;
  }[] = [];

  static async create(
    env: { readonly server: TestWorkflowEnvironment; readonly folder: string },
    batchId: string,
    options: BatchOptions,
  ): Promise<BatchUnderTest> {
    const folder = join(env.folder, batchId);
    await mkdir(folder, { recursive: true });
    const rows = Array.from({ length: options.rows ?? 4 }, (_, n) => ({
      custom_id: `row-${n}`,
      body: { n },
    }));
    const source = join(folder, 'input.jsonl');
    await writeFile(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return new BatchUnderTest(env.server, batchId, { folder, source }, options);
  }

  private constructor(
    server: TestWorkflowEnvironment,
    batchId: string,
    files: { readonly folder: string; readonly source: string },
    options: BatchOptions,
  ) {
    this.#server = server;
    this.batchId = batchId;
    this.storeFolder = join(files.folder, 'store');
    const clock = new ServerClock(() => server.currentTimeMs());
    this.started = () => clock.sync();
    this.provider = new FakeProvider({ ...options.provider, now: () => clock.now() });
    const own = createActivities({
      store: openFileStore(this.storeFolder),
      provider: () => this.provider,
      clock,
      scratchDir: join(files.folder, 'scratch'),
      fileRoots: async () => [files.folder],
      createSettleMs: options.createSettleMs ?? 120_000,
      cancelWaitMs: options.cancelWaitMs ?? 900_000,
    });
    this.activities = { ...own, ...options.activities?.(own) };
    this.input = {
      input: { uri: pathToFileURL(files.source).href },
      endpoint: '/v1/chat/completions',
      model: 'mistral-small-latest',
      ...options.input,
    };
  }

  /** Runs the hook at each call of the activity, before it does anything. */
  onBefore(name: ActivityName, hook: ActivityHook): void {
    this.#hooks.push({ when: 'before', name, hook });
  }

  /** Runs the hook when the activity has done its work and its end is not yet reported. */
  onAfter(name: ActivityName, hook: ActivityHook): void {
    this.#hooks.push({ when: 'after', name, hook });
  }

  before: ActivityHook = (call) => this.#run('before', call);
  after: ActivityHook = (call) => this.#run('after', call);

  /**
   * Sends something to the batch while an activity runs, and waits until the workflow that waits for the activity has
   * acted on it. The test server fails a workflow task that cancels an activity which ends at that moment, and the
   * task is repeated only after 10 real seconds; a real server takes both.
   */
  async during({ workflowId }: ActivityCall, send: () => Promise<unknown>): Promise<void> {
    const waiting = this.handleOf(workflowId);
    const before = (await messages(waiting)).received;
    await send();
    await until(`${workflowId} takes in what was sent`, async () => {
      const { received, takenIn } = await messages(waiting);
      return received > before && takenIn;
    });
  }

  callsOf(name: ActivityName): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  async start(
    input: Partial<RunBatchInput> = {},
    memo: Record<string, unknown> = {},
  ): Promise<WorkflowHandle<typeof runBatch>> {
    return this.#server.client.workflow.start<typeof runBatch>(WORKFLOW_TYPES.runBatch, {
      workflowId: this.batchId,
      taskQueue: TASK_QUEUES.workflows,
      args: [{ ...this.input, ...input }],
      memo,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
  }

  async run(input: Partial<RunBatchInput> = {}, memo: Record<string, unknown> = {}): Promise<BatchSummary> {
    const handle = await this.start(input, memo);
    return handle.result();
  }

  get handle(): WorkflowHandle<typeof runBatch> {
    return this.#server.client.workflow.getHandle<typeof runBatch>(this.batchId);
  }

  shard(shard: number): WorkflowHandle<typeof runShard> {
    return this.handleOf(shardWorkflowId(this.batchId, shard));
  }

  handleOf(workflowId: string): WorkflowHandle<typeof runShard> {
    return this.#server.client.workflow.getHandle<typeof runShard>(workflowId);
  }

  /** The shard whose activities last named the job. */
  shardOfJob(jobId: string): WorkflowHandle<typeof runShard> {
    const call = this.calls.findLast(({ input }) => JSON.stringify(input).includes(`"${jobId}"`));
    return this.handleOf(call?.workflowId ?? '');
  }

  /** Null while the shard has not been started. */
  async shardProgress(shard: number): Promise<ShardProgress | null> {
    try {
      return await this.shard(shard).query(shardProgressQuery);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  /** Of the batch and its shards; `run` tells several of one scenario apart, and is empty for the only one. */
  async histories(): Promise<{ workflow: keyof typeof WORKFLOW_TYPES; run: string; history: History }[]> {
    const client = this.#server.client.workflow;
    const own = await runHistories(client, this.handle);
    const shards: History[] = [];
    for (let shard = 0; shard < (await this.shards()); shard += 1) {
      shards.push(...(await runHistories(client, this.shard(shard))));
    }
    const numbered = (all: readonly History[], n: number) => (all.length === 1 ? '' : `-${n + 1}`);
    return [
      ...own.map((history, n) => ({ workflow: 'runBatch' as const, run: numbered(own, n), history })),
      ...shards.map((history, n) => ({ workflow: 'runShard' as const, run: numbered(shards, n), history })),
    ];
  }

  /** Shards that the batch has asked to be started; one that it asked for again counts once. */
  async shards(): Promise<number> {
    const { events } = await this.handle.fetchHistory();
    const ids = (events ?? []).flatMap(
      ({ startChildWorkflowExecutionInitiatedEventAttributes: asked }) => asked?.workflowId ?? [],
    );
    return new Set(ids).size;
  }

  async eventsOf(handle: WorkflowHandle): Promise<number> {
    const { events } = await handle.fetchHistory();
    return events?.length ?? 0;
  }

  async manifest(): Promise<Manifest> {
    const manifest = manifestSchema.parse(JSON.parse(await this.#read(layout.manifest(this.batchId))));
    if (!addsUp(manifest.rows)) throw new Error(`rows do not add up: ${JSON.stringify(manifest.rows)}`);
    return manifest;
  }

  /** Each row's word in `results.jsonl`: `ok` or the error's type. */
  async words(): Promise<readonly string[]> {
    const lines = (await this.#read(layout.results(this.batchId))).split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const { error } = resultLineSchema.parse(JSON.parse(line));
      return error === null ? 'ok' : error.type;
    });
  }

  #read(path: string): Promise<string> {
    return readFile(join(this.storeFolder, path), 'utf8');
  }

  async #run(when: 'before' | 'after', call: ActivityCall): Promise<void> {
    for (const entry of this.#hooks) {
      if (entry.when === when && entry.name === call.name) await entry.hook(call);
    }
  }
}

async function messages(handle: WorkflowHandle): Promise<{ received: number; takenIn: boolean }> {
  const { events } = await handle.fetchHistory();
  let received = 0;
  let takenIn = true;
  let sawIt = 0;
  for (const event of events ?? []) {
    const isMessage =
      event.workflowExecutionSignaledEventAttributes ??
      event.workflowExecutionCancelRequestedEventAttributes ??
      event.workflowExecutionUpdateAcceptedEventAttributes;
    if (isMessage) {
      received += 1;
      // An update is accepted by the task that acts on it.
      takenIn = Boolean(event.workflowExecutionUpdateAcceptedEventAttributes);
    } else if (event.workflowTaskStartedEventAttributes) {
      sawIt = received;
    } else if (event.workflowTaskCompletedEventAttributes) {
      takenIn ||= sawIt === received;
    }
  }
  return { received, takenIn };
}
