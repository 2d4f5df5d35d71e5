import {
  ChildWorkflowFailure,
  TerminatedFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { CancellationScope, setHandler, sleep, startChild, workflowInfo } from '@temporalio/workflow';
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import type { ShardAccount } from '../batch/account.js';
import { messagesFor, withCancel } from '../batch/control.js';
import type { ControlMessage, ControlState } from '../batch/control.js';
import { stopsBatch } from '../batch/failure-types.js';
import { shardWorkflowId } from '../batch/layout.js';
import { parseShardPhase } from '../batch/progress.js';
import type { ShardPhase } from '../batch/progress.js';
import type { BatchSettings } from '../batch/settings.js';
import { HURRIED_PATIENCE_MS, rivalWaitMs } from '../batch/wait-policy.js';
import { WORKFLOW_TYPES } from '../batch/wire-names.js';
import type { Control } from './control.js';
import { cancelSignal, pauseSignal, pollNowSignal, resumeSignal, shardPhaseSignal } from './messages.js';
import type { RunShardInput } from './messages.js';
import type { runShard } from './run-shard.js';

export interface WindowPlan {
  readonly settings: BatchSettings;
  readonly shards: number;
  readonly deadlineAt: number;
  /** An earlier run may have left jobs in shards that this run does not come to. */
  readonly resumed: boolean;
  readonly run: string;
}

interface RunningShard {
  readonly handle: ChildWorkflowHandle<typeof runShard>;
  /** The control state that it was started with, or told of since. */
  knows: ControlState;
}

/** Runs the shards as child workflows, `maxJobs` at a time, and passes on what is asked of the batch. */
export class ShardWindow {
  readonly accounts: ShardAccount[] = [];
  /** A shard met what every later shard would meet too. */
  #hopeless = false;
  /** A stop has waited in one shard for as long as it may, and the provider never answered. */
  #patienceSpent = false;
  readonly #control: Control;
  readonly #changed: () => void;
  readonly #running = new Map<number, RunningShard>();
  readonly #phases = new Map<number, ShardPhase>();
  #resumesSent = 0;

  constructor(control: Control, changed: () => void) {
    this.#control = control;
    this.#changed = changed;
    setHandler(shardPhaseSignal, (message) => {
      const told = parseShardPhase(message);
      if (told === null) return;
      this.#phases.set(told.shard, told.phase);
      this.#changed();
    });
  }

  get phases(): readonly ShardPhase[] {
    return [...this.#phases.values()];
  }

  get running(): readonly number[] {
    return [...this.#running.keys()];
  }

  async run(plan: WindowPlan): Promise<void> {
    let next = 0;
    const lane = async () => {
      while (next < plan.shards && this.#mayStart(plan)) {
        const shard = next;
        next += 1;
        await this.#runShard(shard, plan);
      }
    };
    await Promise.all(Array.from({ length: Math.min(plan.settings.maxJobs, plan.shards) }, lane));
  }

  /** After a stop only shards with jobs of an earlier run are still worth a start, to cancel those. */
  #mayStart(plan: WindowPlan): boolean {
    if (this.#hopeless) return false;
    return !this.#control.stopping || plan.resumed;
  }

  async #runShard(shard: number, plan: WindowPlan): Promise<void> {
    const first = await this.#execute(shard, plan, this.#control.stopping ? 'cleanup' : 'run');
    const account = first ?? (await this.#execute(shard, plan, 'cleanup'));
    this.#phases.delete(shard);
    // None: terminated twice. Its rows count as those of a shard that was not begun.
    if (account !== null) this.accounts.push(account);
    if (account !== null && account.failure !== null) this.#hopeless ||= stopsBatch(account.failure.type);
    this.#changed();
  }

  /** Null: the shard was terminated by hand, so its job may still be running. */
  async #execute(shard: number, plan: WindowPlan, mode: RunShardInput['mode']): Promise<ShardAccount | null> {
    const running = await this.#start(shard, plan, mode);
    this.#running.set(shard, running);
    // What was asked while the start was under way is not in the shard's input.
    this.#tell(running);
    try {
      const account = await running.handle.result();
      this.#patienceSpent ||= account.gaveUp === true && this.#control.stopping;
      return account;
    } catch (error) {
      if (error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure) return null;
      throw error;
    } finally {
      this.#running.delete(shard);
    }
  }

  async #start(shard: number, plan: WindowPlan, mode: RunShardInput['mode']): Promise<RunningShard> {
    const workflowId = shardWorkflowId(workflowInfo().workflowId, shard);
    for (let attempt = 0; ; attempt += 1) {
      const { state } = this.#control;
      // A shard that was terminated by hand counts as cancelled, in a batch that goes on.
      const stray = mode === 'cleanup' && !this.#control.stopping;
      const control = stray ? withCancel(state, {}, 'message') : state;
      const { settings, deadlineAt, run } = plan;
      try {
        const handle = await startChild<typeof runShard>(WORKFLOW_TYPES.runShard, {
          workflowId,
          args: [{ shard, settings, deadlineAt, control, mode, run, ...this.#hurry() }],
          parentClosePolicy: 'REQUEST_CANCEL',
          cancellationType: 'WAIT_CANCELLATION_COMPLETED',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: `shard ${shard}, of ${plan.shards} in all`,
        });
        return { handle, knows: control };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        await sleep(rivalWaitMs(attempt), { summary: `shard ${shard} of an earlier run is still open` });
      }
    }
  }

  #hurry(): Pick<RunShardInput, 'patienceMs'> {
    return this.#patienceSpent ? { patienceMs: HURRIED_PATIENCE_MS } : {};
  }

  /** Passes on to the running shards what the batch was told. */
  forward(): void {
    const { pollNow, resumes } = this.#control;
    for (const running of this.#running.values()) {
      const resumed = this.#tell(running).includes('resume');
      // A shard may wait for quota or a key though nothing is paused.
      if (resumes > this.#resumesSent && !resumed) this.#send(() => running.handle.signal(resumeSignal));
      if (pollNow) this.#send(() => running.handle.signal(pollNowSignal));
    }
    this.#control.pollNow = false;
    this.#resumesSent = resumes;
  }

  #tell(running: RunningShard): readonly ControlMessage[] {
    const { handle } = running;
    const { state } = this.#control;
    const messages = messagesFor(running.knows, state);
    for (const message of messages) {
      if (message === 'pause') this.#send(() => handle.signal(pauseSignal));
      if (message === 'resume') this.#send(() => handle.signal(resumeSignal));
      if (message === 'cancel' && state.cancel !== null) {
        const { mode, reason } = state.cancel;
        this.#send(() => handle.signal(cancelSignal, reason === null ? { mode } : { mode, reason }));
      }
    }
    running.knows = state;
    return messages;
  }

  /**
   * In a scope of its own: handlers, and what hears of a cancel request, run in the workflow's root scope, and after
   * such a request that one sends nothing any more.
   */
  #send(send: () => Promise<void>): void {
    // A shard that has just closed needs no message any more.
    CancellationScope.nonCancellable(send).catch(() => undefined);
  }
}
