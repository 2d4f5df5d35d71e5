import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { allHandlersFinished, condition, setHandler, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { PreparedBatch, PrepareResult } from '../activities/contract.js';
import { batchProblem } from '../batch/accounting.js';
import { NO_CONTROL } from '../batch/control.js';
import type { Failure } from '../batch/failure-types.js';
import type { BatchSummary } from '../batch/manifest.js';
import { runningPhase } from '../batch/progress.js';
import type { BatchProgressAnswer, ShardPhase } from '../batch/progress.js';
import { countRows, NO_ROWS } from '../batch/rows.js';
import { batchUnanswered, graver, groupUnanswered, isWhole, sumAccounts } from '../batch/shard-sums.js';
import { MEMO } from '../batch/wire-names.js';
import type { RunBatchInput } from '../schemas/run-batch-input.js';
import { checkAccount } from './account-check.js';
import { knownFailure } from './activity-failure.js';
import { BatchPhaseRecord } from './batch-phase.js';
import { Control } from './control.js';
import { INTERRUPTED, untilStopped } from './interruptible.js';
import { batchProgressQuery } from './messages.js';
import { activities } from './proxies.js';
import { ShardWindow } from './shard-window.js';

/** One run of a batch: the sequence, and what is known of it so far. */
export class BatchRun {
  readonly control: Control;
  readonly #input: RunBatchInput;
  readonly #startedAt = workflowInfo().startTime;
  readonly #phase = new BatchPhaseRecord();
  readonly #shards: ShardWindow;
  /** What the batch itself waits for, before it has shards. */
  #ownPhase: ShardPhase = 'running';
  #prepared: PreparedBatch | null = null;

  constructor(input: RunBatchInput) {
    this.#input = input;
    this.control = new Control(NO_CONTROL, () => this.#controlChanged());
    this.#shards = new ShardWindow(this.control, () => this.#updatePhase());
    this.control.listen();
    setHandler(batchProgressQuery, () => this.#progress());
  }

  async toEnd(): Promise<BatchSummary> {
    this.#phase.announce(this.#input);
    const prepared = await this.#prepare();
    if (prepared?.kind === 'finished') return this.#end(prepared.summary);
    this.#prepared = prepared;
    const failure = prepared === null ? null : await this.#run(prepared);
    this.#phase.enter('assembling');
    const summary = await this.#assemble(prepared, failure);
    this.#checkRows(summary);
    await this.#cleanup(prepared);
    return this.#end(summary);
  }

  /** Null: cancelled before there was a plan. */
  async #prepare(): Promise<PrepareResult | null> {
    try {
      const stop = () => this.control.state.cancel !== null;
      const result = await untilStopped(stop, () => activities.prepare('validate and cut', this.#input));
      if (result === INTERRUPTED) return await this.#leftByEarlierRun();
      this.#checkFingerprint(result.fingerprint);
      return result;
    } catch (error) {
      const failure = knownFailure(error);
      if (failure === null) throw error;
      // Neither plan nor manifest: a corrected input may keep its batch id.
      this.#phase.end('failed', NO_ROWS);
      throw asWorkflowFailure(failure);
    }
  }

  /** Cancelled before it was prepared: nothing is sent, but an earlier run may have left jobs to be cancelled. */
  async #leftByEarlierRun(): Promise<PreparedBatch | null> {
    const { plan } = await activities.findPlan('did an earlier run leave jobs?', this.#input);
    const asked = workflowInfo().memo?.[MEMO.fingerprint];
    return plan === null || (asked !== undefined && asked !== plan.fingerprint) ? null : plan;
  }

  /** A caller who counts on another provider address than the worker's would buy from somebody else. */
  #checkFingerprint(prepared: string): void {
    const asked = workflowInfo().memo?.[MEMO.fingerprint];
    if (asked === undefined) upsertMemo({ [MEMO.fingerprint]: prepared });
    if (asked === undefined || asked === prepared) return;
    this.#phase.end('failed', NO_ROWS);
    throw asWorkflowFailure({
      type: 'FingerprintMismatch',
      message:
        'the batch was started for another provider address than the worker’s; set baseUrl of the client, or MISTRAL_BASE_URL, to the same on both sides',
    });
  }

  async #run(prepared: PreparedBatch): Promise<Failure | null> {
    const { settings } = prepared;
    const deadlineAt = this.#startedAt.getTime() + settings.deadlineMs;
    this.#phase.countRows(prepared.rows);
    this.control.watchDeadline(deadlineAt);
    const failure = await checkAccount(this.control, (phase) => {
      this.#ownPhase = phase;
      this.#updatePhase();
    });
    if (failure !== null) return failure;
    this.#updatePhase();
    await this.#shards.run({
      settings,
      shards: prepared.shards,
      deadlineAt,
      resumed: prepared.resumed,
      run: workflowInfo().runId,
    });
    return null;
  }

  async #assemble(prepared: PreparedBatch | null, failure: Failure | null): Promise<BatchSummary> {
    const sums = sumAccounts(this.#shards.accounts);
    const stop = {
      cancelled: this.control.state.cancel !== null,
      deadlinePassed: this.control.deadlinePassed || this.#isLate(prepared),
    };
    const unanswered = batchUnanswered({ ...stop, failure });
    const known = graver(failure, sums.failure);
    const unfinished = sums.rows.total + (prepared?.invalid ?? 0) < (prepared?.rows ?? 0);
    const expired = stop.deadlinePassed && (sums.rows.expired > 0 || unfinished);
    const late: Failure = { type: 'DeadlineExceeded', message: 'the deadline of the batch passed' };
    try {
      const { summary } = await activities.assemble('write results and manifest', {
        generation: prepared?.generation ?? null,
        startedAt: this.#startedAt.toISOString(),
        inputUri: this.#input.input.uri,
        cancelled: stop.cancelled,
        failure: known ?? (expired ? late : null),
        counted: sums.rows,
        whole: this.#isWhole,
        unanswered,
        unansweredShards: groupUnanswered(this.#shards.accounts, unanswered),
        openJobs: sums.openJobs,
        duplicates: sums.duplicates,
      });
      return summary;
    } catch (error) {
      const assembling = knownFailure(error);
      if (assembling === null) throw error;
      this.#phase.end('failed', sums.rows);
      // Why nothing could be written, not what failed before: whoever reads it has to mend this first.
      throw asWorkflowFailure(assembling);
    }
  }

  /** A shard has a deadline timer of its own: it may fire, and end the last shard, before this workflow's does. */
  #isLate(prepared: PreparedBatch | null): boolean {
    return prepared !== null && Date.now() >= this.#startedAt.getTime() + prepared.settings.deadlineMs;
  }

  /** What was assembled, by this attempt or another, is held against what this run counted. */
  #checkRows(summary: BatchSummary): void {
    if (this.#prepared === null) return;
    const problem = batchProblem({
      planned: this.#prepared,
      counted: sumAccounts(this.#shards.accounts).rows,
      whole: this.#isWhole,
      written: summary.rows,
    });
    if (problem === null) return;
    this.#phase.end('failed', summary.rows);
    throw asWorkflowFailure({ type: 'AccountingMismatch', message: problem });
  }

  get #isWhole(): boolean {
    return !this.control.stopping && isWhole(this.#shards.accounts, this.#prepared?.shards ?? 0);
  }

  async #cleanup(prepared: PreparedBatch | null): Promise<void> {
    const cleanup = prepared?.settings.cleanup ?? 'none';
    if (cleanup === 'none') return;
    // A cancel that comes now, or a second one, is by somebody who doesn't want to wait for this either.
    const { cancel } = this.control.state;
    try {
      await untilStopped(
        () => this.control.state.cancel !== cancel,
        () => activities.cleanup(`delete files at the provider: ${cleanup}`, { cleanup }),
      );
    } catch (error) {
      // The batch is done and its manifest is out; a file left at the provider costs nothing.
      if (knownFailure(error) === null) throw error;
    }
  }

  async #end(summary: BatchSummary): Promise<BatchSummary> {
    await condition(allHandlersFinished);
    this.#phase.end(summary.outcome, summary.rows);
    if (summary.outcome === 'failed' && summary.failure !== null) throw asWorkflowFailure(summary.failure);
    if (summary.outcome === 'cancelled' && this.control.state.cancel?.via === 'request') {
      // The details of a CancelledFailure never reach the caller (measured), so the memo carries the summary.
      upsertMemo({ [MEMO.summary]: summary });
      throw new CancelledFailure('the batch was cancelled');
    }
    return summary;
  }

  #controlChanged(): void {
    this.#shards.forward();
    this.#updatePhase();
  }

  #updatePhase(): void {
    if (this.#prepared === null || !this.#phase.isRunning) return;
    this.#phase.enter(
      runningPhase({
        cancelling: this.control.state.cancel !== null,
        paused: this.control.state.paused,
        shardPhases: [this.#ownPhase, ...this.#shards.phases],
      }),
    );
  }

  #progress(): BatchProgressAnswer {
    const { rows } = sumAccounts(this.#shards.accounts);
    const total = this.#prepared?.rows ?? 0;
    const invalid = countRows('invalid', this.#prepared?.invalid ?? 0);
    const known = { ...rows, invalid: invalid.invalid };
    const spoken = rows.total + invalid.total;
    return {
      batchId: workflowInfo().workflowId,
      phase: this.#phase.current,
      paused: this.control.state.paused,
      rows: { ...known, total, unanswered: Math.max(0, total - spoken) },
      shards: {
        total: this.#prepared?.shards ?? 0,
        running: this.#shards.running.length,
        done: this.#shards.accounts.length,
      },
      jobs: [],
      running: this.#shards.running,
      startedAt: this.#startedAt.toISOString(),
      etaAt: null,
    };
  }
}

function asWorkflowFailure({ type, message }: Failure): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}
