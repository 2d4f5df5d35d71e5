import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ShardAccount } from '../batch/account.js';
import type { CancelRequest, ControlState } from '../batch/control.js';
import type { BatchProgressAnswer, ShardPhaseMessage, ShardProgress } from '../batch/progress.js';
import type { BatchSettings } from '../batch/settings.js';
import type { ShardState } from '../batch/shard-state.js';
import { QUERIES, SIGNALS, UPDATES } from '../batch/wire-names.js';

export const cancelSignal = defineSignal<[request: CancelRequest]>(SIGNALS.cancel);
export const pauseSignal = defineSignal(SIGNALS.pause);
export const resumeSignal = defineSignal(SIGNALS.resume);
export const pollNowSignal = defineSignal(SIGNALS.pollNow);
/** From a shard to its batch, when it enters or leaves a wait. */
export const shardPhaseSignal = defineSignal<[ShardPhaseMessage]>(SIGNALS.shardPhase);

/** Updates return once the request is accepted; what comes of it is seen in `progress`. */
export const cancelUpdate = defineUpdate<void, [request: CancelRequest]>(UPDATES.cancel);
export const pauseUpdate = defineUpdate<void>(UPDATES.pause);
export const resumeUpdate = defineUpdate<void>(UPDATES.resume);
export const pollNowUpdate = defineUpdate<void>(UPDATES.pollNow);

export const batchProgressQuery = defineQuery<BatchProgressAnswer>(QUERIES.progress);
export const shardProgressQuery = defineQuery<ShardProgress>(QUERIES.progress);

export interface RunShardInput {
  readonly shard: number;
  readonly settings: BatchSettings;
  /** Unix milliseconds; jobs are cancelled and collected then. */
  readonly deadlineAt: number;
  readonly control: ControlState;
  /** `cleanup`: find, cancel and collect what earlier runs left; create nothing. */
  readonly mode: 'run' | 'cleanup';
  /** Milliseconds: how long a stop waits for a provider that can't be reached, if not for as long as usual. */
  readonly patienceMs?: number;
  /** Run id of the batch, for the job's metadata. */
  readonly run: string;
  /** What a continued shard knows already. */
  readonly carried?: ShardState;
}

export type RunShardResult = ShardAccount;
