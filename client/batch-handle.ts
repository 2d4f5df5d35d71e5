import type { Client, WorkflowHandle } from '@temporalio/client';
import { cancelRequestProblem } from '../batch/control.js';
import type { CancelRequest } from '../batch/control.js';
import type { Manifest } from '../batch/manifest.js';
import type { BatchProgress } from '../batch/progress.js';
import type { ErrorLine, ResultLine } from '../schemas/result-line.js';
import * as messages from '../workflows/messages.js';
import { assertOptions } from './assert-options.js';
import type { BatchFiles } from './batch-files.js';
import { BatchRun } from './batch-run.js';
import { LonghaulError } from './failures.js';
import { finalProgress } from './final-progress.js';
import { readPublished } from './published.js';
import type { Temporal } from './temporal.js';
import type { BatchHandle, CancelOptions, ControlOptions, ProgressOptions, WaitOptions } from './types.js';
import { findTrouble } from './trouble.js';
import type { Trouble } from './trouble.js';
import { watchProgress } from './watch-progress.js';

const ACKNOWLEDGE_MS = 10_000;
const PROGRESS_INTERVAL_MS = 1_000;

export interface HandleFacts {
  readonly temporal: Temporal;
  readonly files: BatchFiles;
  readonly attached: boolean;
  /** The account of a batch that needs no Temporal any more. */
  readonly finished: Manifest | null;
}

type Ask = (handle: WorkflowHandle) => Promise<unknown>;

export class BatchHandleOverTemporal implements BatchHandle {
  readonly batchId: string;
  readonly attached: boolean;
  readonly #temporal: Temporal;
  readonly #files: BatchFiles;
  readonly #finished: Manifest | null;

  constructor({ temporal, files, attached, finished }: HandleFacts) {
    this.batchId = files.batchId;
    this.attached = attached;
    this.#temporal = temporal;
    this.#files = files;
    this.#finished = finished;
  }

  get workflowUrl(): string | null {
    return this.#temporal.workflowUrl(this.batchId);
  }

  get resultsUri(): string {
    return this.#files.resultsUri;
  }

  get errorsUri(): string {
    return this.#files.errorsUri;
  }

  async *progress(options: ProgressOptions = {}): AsyncGenerator<BatchProgress> {
    assertOptions('progress', options, { intervalMs: 'number', signal: 'signal' });
    const { intervalMs = PROGRESS_INTERVAL_MS, signal } = options;
    if (this.#finished !== null) yield finalProgress(this.#finished, null);
    else {
      yield* watchProgress(await BatchRun.latest(this.#temporal, this.#files, signal), {
        intervalMs,
        signal,
      });
    }
  }

  async status(): Promise<Manifest> {
    if (this.#finished !== null) return this.#finished;
    return (await BatchRun.latest(this.#temporal, this.#files)).status();
  }

  async trouble(options: WaitOptions = {}): Promise<Trouble | null> {
    assertOptions('trouble', options, { signal: 'signal' });
    const { signal } = options;
    return this.#finished === null ? findTrouble(this.#temporal, this.batchId, signal) : null;
  }

  async result(options: WaitOptions = {}): Promise<Manifest> {
    assertOptions('result', options, { signal: 'signal' });
    const { signal } = options;
    if (this.#finished !== null) return this.#finished;
    const run = await BatchRun.latest(this.#temporal, this.#files, signal);
    await run.closed();
    return run.account();
  }

  async cancel(options: CancelOptions = {}): Promise<boolean> {
    assertOptions('cancel', options, { acknowledge: 'truth', wait: 'truth' });
    const { mode, reason } = options;
    const request: CancelRequest = {
      ...(mode === undefined ? {} : { mode }),
      ...(reason === undefined ? {} : { reason }),
    };
    // A signal is carried out without the part that can't be understood: a typo would cancel in another way than asked.
    const problem = cancelRequestProblem(request);
    if (problem !== null) throw new LonghaulError('InvalidInput', `the cancel was not sent: ${problem}`);
    const done = await this.#control(options, {
      signal: (handle) => handle.signal(messages.cancelSignal, request),
      update: (handle) => handle.executeUpdate(messages.cancelUpdate, { args: [request] }),
    });
    if (done && options.wait === true) await (await BatchRun.latest(this.#temporal, this.#files)).closed();
    return done;
  }

  pause(options: ControlOptions = {}): Promise<boolean> {
    return this.#control(options, {
      signal: (handle) => handle.signal(messages.pauseSignal),
      update: (handle) => handle.executeUpdate(messages.pauseUpdate),
    });
  }

  resume(options: ControlOptions = {}): Promise<boolean> {
    return this.#control(options, {
      signal: (handle) => handle.signal(messages.resumeSignal),
      update: (handle) => handle.executeUpdate(messages.resumeUpdate),
    });
  }

  pollNow(options: ControlOptions = {}): Promise<boolean> {
    return this.#control(options, {
      signal: (handle) => handle.signal(messages.pollNowSignal),
      update: (handle) => handle.executeUpdate(messages.pollNowUpdate),
    });
  }

  results(): AsyncIterable<ResultLine> {
    return this.#read(() => this.#files.results());
  }

  errors(): AsyncIterable<ErrorLine> {
    return this.#read(() => this.#files.errors());
  }

  resultBytes(): AsyncIterable<Uint8Array> {
    return this.#read(() => this.#files.bytes('results'));
  }

  errorBytes(): AsyncIterable<Uint8Array> {
    return this.#read(() => this.#files.bytes('errors'));
  }

  #read<T>(read: () => AsyncIterable<T>): AsyncGenerator<T> {
    return readPublished(read, () => this.status());
  }

  /**
   * A signal is kept by Temporal until a worker takes it; an update is lost when the server dies before that. Updates
   * are awaited to their outcome, which their handlers have at once: accepted is also what a refused one is called.
   */
  async #control(
    options: ControlOptions,
    ask: { readonly signal: Ask; readonly update: Ask },
  ): Promise<boolean> {
    assertOptions('a request', options, { acknowledge: 'truth' });
    const { acknowledge = false } = options;
    if (this.#finished !== null) return false;
    const send = (client: Client) =>
      (acknowledge ? ask.update : ask.signal)(client.workflow.getHandle(this.batchId));
    try {
      await this.#temporal.call(send, { timeoutMs: ACKNOWLEDGE_MS });
      return true;
    } catch (error) {
      // Temporal says the same of a workflow that has closed and of one that it never saw.
      if (error instanceof LonghaulError && error.type === 'UnknownBatch') return false;
      throw error;
    }
  }
}
