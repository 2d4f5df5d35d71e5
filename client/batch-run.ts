import { shardWorkflowId } from '../batch/layout.js';
import type { Manifest } from '../batch/manifest.js';
import type { BatchProgress, BatchProgressAnswer, ShardProgress } from '../batch/progress.js';
import { batchProgressQuery, shardProgressQuery } from '../workflows/messages.js';
import { describeBatch, progressOf } from './batch-description.js';
import type { BatchDescription } from './batch-description.js';
import type { BatchFiles } from './batch-files.js';
import { LonghaulError } from './failures.js';
import { finalProgress } from './final-progress.js';
import { liveManifest } from './live-manifest.js';
import { accountOf, awaitRunEnd, failedAccount } from './run-end.js';
import { isUnavailable } from './temporal.js';
import type { Temporal } from './temporal.js';
import { ProgressView } from './watch-progress.js';
import type { ProgressSource } from './watch-progress.js';

/** A worker that is there answers a query in milliseconds; a killed one's queries are held for it a while. */
const QUERY_TIMEOUT_MS = 3_000;

/** One run of a batch, seen through Temporal and the store. */
export class BatchRun implements ProgressSource {
  readonly #temporal: Temporal;
  readonly #files: BatchFiles;
  readonly #runId: string;
  readonly #signal: AbortSignal | undefined;

  private constructor(temporal: Temporal, files: BatchFiles, runId: string, signal: AbortSignal | undefined) {
    this.#temporal = temporal;
    this.#files = files;
    this.#runId = runId;
    this.#signal = signal;
  }

  /** The latest run of a batch. Methods reject with the signal's reason once it aborts. */
  static async latest(temporal: Temporal, files: BatchFiles, signal?: AbortSignal): Promise<BatchRun> {
    const { runId } = await temporal.patiently(describeBatch(files.batchId), { signal });
    return new BatchRun(temporal, files, runId, signal);
  }

  now(): number {
    return Date.now();
  }

  async look(): Promise<{ closed: boolean; known: BatchProgress }> {
    const run = await this.#describe(this.#signal);
    return { closed: !run.open, known: progressOf(run) };
  }

  askBatch(): Promise<BatchProgressAnswer | null> {
    return this.#unlessSilent(() =>
      this.#temporal.call(
        (client) => client.workflow.getHandle(this.#files.batchId, this.#runId).query(batchProgressQuery),
        { timeoutMs: QUERY_TIMEOUT_MS, signal: this.#signal },
      ),
    );
  }

  askShard(shard: number): Promise<ShardProgress | null> {
    const workflowId = shardWorkflowId(this.#files.batchId, shard);
    return this.#unlessSilent(() =>
      this.#temporal.call((client) => client.workflow.getHandle(workflowId).query(shardProgressQuery), {
        timeoutMs: QUERY_TIMEOUT_MS,
        signal: this.#signal,
      }),
    );
  }

  async last(latest: BatchProgress | null): Promise<BatchProgress> {
    const run = await this.#describe(this.#signal);
    const account = await this.#accountIfAny(run);
    if (account !== null) return finalProgress(account, latest);
    return { ...(latest ?? progressOf(run)), phase: 'done', etaAt: null };
  }

  /** Waits for the run's end, over outages of Temporal too. */
  async closed(signal: AbortSignal | undefined = this.#signal): Promise<void> {
    while ((await this.#describe(signal)).open) {
      try {
        await this.#temporal.longPoll(awaitRunEnd(this.#files.batchId, this.#runId), signal);
      } catch (error) {
        // The next look bears with an outage for a while.
        if (!isUnavailable(error)) throw error;
      }
    }
  }

  /** The manifest, or live numbers in its shape. */
  async status(): Promise<Manifest> {
    const run = await this.#describe(this.#signal);
    if (run.open) {
      const progress = await new ProgressView(this).take();
      if (progress !== null) {
        const [plan, jobs] = await Promise.all([this.#files.plan(), this.#files.jobs()]);
        return liveManifest({ run, progress, plan, jobs });
      }
    }
    return (await this.#accountIfAny(run)) ?? this.account();
  }

  /** Of a closed run; throws the failure of one that has none. */
  async account(): Promise<Manifest> {
    return this.#accountOf(await this.#describe(this.#signal));
  }

  async #accountOf(run: BatchDescription): Promise<Manifest> {
    const end = await this.#temporal.patiently(awaitRunEnd(run.batchId, run.runId), { signal: this.#signal });
    return accountOf(run, end, await this.#files.manifest());
  }

  async #accountIfAny(run: BatchDescription): Promise<Manifest | null> {
    try {
      return await this.#accountOf(run);
    } catch (error) {
      if (error instanceof LonghaulError && !isUnavailable(error)) return failedAccount(run, error);
      throw error;
    }
  }

  #describe(signal: AbortSignal | undefined): Promise<BatchDescription> {
    return this.#temporal.patiently(describeBatch(this.#files.batchId, this.#runId), { signal });
  }

  /** Null when no worker answers, or Temporal just went away: whoever looks next will notice. */
  async #unlessSilent<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof LonghaulError) return null;
      throw error;
    }
  }
}
