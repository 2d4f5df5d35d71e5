import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BeginRoundResult, CollectResult, OpenRound } from '../activities/contract.js';
import type { OpenJob, RoundSums, ShardAccount } from '../batch/account.js';
import type { Failure } from '../batch/failure-types.js';
import { isSeenAlive } from '../batch/job-snapshot.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import type { RowErrorType } from '../batch/rows.js';
import { absorbed, adopted, left, roundMode } from '../batch/shard-rounds.js';
import { duplicatesOfRound, initialShardState, toOpenJob, unansweredOf } from '../batch/shard-state.js';
import type { ActiveRound, ShardState } from '../batch/shard-state.js';
import { afterCreateFailure, patienceMs } from '../batch/wait-policy.js';
import { knownFailure } from './activity-failure.js';
import { Control } from './control.js';
import { untilStopped, INTERRUPTED } from './interruptible.js';
import { shardProgressQuery } from './messages.js';
import type { RunShardInput } from './messages.js';
import type { runShard } from './run-shard.js';
import { activities } from './proxies.js';
import { RoundJobs } from './round-jobs.js';
import { shardProgress } from './shard-progress.js';
import { ShardWaits } from './shard-waits.js';
import { watchJob } from './watch-job.js';

/** Why a shard ends without a job for its round, and what becomes of its rows if that is not told by its failure. */
interface ShardEnd {
  readonly failure: Failure;
  readonly unanswered: RowErrorType | null;
}

/** One run of a shard: the sequence begin, find or create, watch, collect, over and over. */
export class ShardRun {
  readonly control: Control;
  readonly #input: RunShardInput;
  readonly #state: ShardState;
  readonly #waits: ShardWaits;
  readonly #jobs: RoundJobs;
  #unanswered: RowErrorType | null = null;
  #openJob: OpenJob | null = null;
  #gaveUp = false;

  constructor(input: RunShardInput) {
    this.#input = input;
    this.#state = input.carried ?? initialShardState(input.control);
    this.control = new Control(this.#state.control);
    this.control.stopSince = this.#state.stopSince;
    this.#waits = new ShardWaits(input.shard, this.control);
    this.#jobs = new RoundJobs(input, this.#state, this.control, this.#waits);
    this.control.listen();
    setHandler(shardProgressQuery, () => shardProgress(input.shard, this.#state, this.#waits.phase));
  }

  async toEnd(): Promise<ShardAccount> {
    const { settings, deadlineAt, shard } = this.#input;
    this.control.watchDeadline(deadlineAt);
    void this.control.watchStop(this.#input.patienceMs ?? patienceMs(settings));
    while (await this.#round());
    await this.#jobs.recheck();
    await condition(allHandlersFinished);
    const state = this.#state;
    return {
      shard,
      rows: state.rows,
      answered: state.answered,
      jobs: state.jobs,
      failure: state.failure,
      unanswered: this.#unanswered ?? unansweredOf(this.control, state.failure),
      openJob: this.#openJob,
      duplicates: state.duplicates,
      ...(this.#gaveUp && { gaveUp: true }),
    };
  }

  /** One round; false when the shard has come to its end. */
  async #round(): Promise<boolean> {
    if (this.#state.active === null) {
      const begun = await this.#begin();
      if (begun === null || begun.kind === 'none') return false;
      if (begun.kind === 'closed') {
        this.#state.jobs += 1;
        return this.#absorb(begun.sums, null);
      }
      const job = await this.#obtainJob(begun);
      await this.#waits.over();
      if (job === null) return false;
    }
    const active = this.#state.active;
    if (active === null) return false;
    const end = await watchJob(active, {
      ...this.#where(),
      settings: this.#input.settings,
      control: this.control,
      waits: this.#waits,
      continueAsNew: () => this.#continueAsNewIfDue(),
    });
    if (typeof end !== 'string') this.#state.failure = end;
    if (end === 'ended' || end === 'deleted') return this.#close(end === 'deleted');
    // Not one that was cancelled and takes its time.
    this.#gaveUp ||= this.control.patienceOver && active.cancelAskedAt === null;
    return this.#leave(active.job);
  }

  /** Not cut short by a cancel: an earlier run's round may have a job, which is to be cancelled too. */
  async #begin(): Promise<BeginRoundResult | null> {
    const mode = roundMode(this.#state, this.#input.settings);
    try {
      const begun = await untilStopped(
        () => this.control.patienceOver,
        () => activities.beginRound(this.#summary(), { ...this.#where(), mode, mayBegin: this.#mayBegin() }),
      );
      return begun === INTERRUPTED ? null : begun;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #mayBegin(): boolean {
    const { begun, lastBegun, round } = this.#state;
    if (this.control.stopping || this.#input.mode === 'cleanup') return false;
    return lastBegun === round || begun < this.#input.settings.maxRounds;
  }

  /** Finds the round's job or creates it; null when there is none and there will be none in this run. */
  async #obtainJob(open: OpenRound): Promise<JobSnapshot | null> {
    for (;;) {
      const closing = !this.#mayBegin();
      try {
        const found = await this.#jobs.find(open.key, { closing });
        if (found === INTERRUPTED) return this.#giveUpLooking(open);
        await this.#waits.keyWorks();
        if (found !== null) return this.#adopt(open, found, isSeenAlive(found));
        if (closing) return null;
        await this.control.whilePaused();
        if (this.#mayBegin()) {
          this.#countBegun();
          const created = await this.#jobs.create(open);
          if (created !== INTERRUPTED) return this.#adopt(open, created, true);
        }
        // Stopped. Where a create was begun, an attempt of it that Temporal has given up may live on: the round is left
        // by a look that finds its job, to be cancelled, or keeps it from sending.
        if (!this.#mayBegin() && !this.#jobs.mayHaveCreated) return null;
      } catch (error) {
        const end = await this.#waitsAfter(error);
        if (end !== null) return (await this.#lastLook(open)) ?? this.#endWith(end);
      }
      await this.#continueAsNewIfDue();
    }
  }

  /**
   * Where a create was begun, an attempt of it that Temporal has given up may live on, whatever the last one met: what it
   * made is found, or it is kept from sending.
   */
  async #lastLook(open: OpenRound): Promise<JobSnapshot | null> {
    if (!this.#jobs.mayHaveCreated) return null;
    try {
      const found = await this.#jobs.find(open.key, { closing: true });
      return found === INTERRUPTED || found === null ? null : this.#adopt(open, found, isSeenAlive(found));
    } catch (error) {
      if (knownFailure(error) === null) throw error;
      return null;
    }
  }

  #giveUpLooking(open: OpenRound): null {
    this.#gaveUp = true;
    if (open.mayHaveJob === false && !this.#jobs.mayHaveCreated) return null;
    const message = `${this.#summary()}: looking for a job that may exist was given up; the next run looks again`;
    this.#state.failure = { type: 'ProviderAmbiguous', message };
    return null;
  }

  /** A waiting failure is waited out (null: try again); any other ends the shard. */
  async #waitsAfter(error: unknown): Promise<ShardEnd | null> {
    const failure = knownFailure(error);
    if (failure === null) throw error;
    const hadJob = this.#state.jobs > 0 || failure.batchHasJob;
    const action = afterCreateFailure(failure.type, { status: failure.status, hadJob });
    if (action === 'job-failed' || action === 'end-shard' || this.control.stopping) {
      const { type, message } = failure;
      return { failure: { type, message }, unanswered: action === 'job-failed' ? 'job_failed' : null };
    }
    if (action === 'wait-auth') await this.#waits.forAuth();
    else await this.#waits.forQuota(this.#state.quotaWaits++);
    return null;
  }

  #endWith({ failure, unanswered }: ShardEnd): null {
    this.#state.failure = failure;
    if (unanswered !== null) this.#unanswered = unanswered;
    return null;
  }

  #countBegun(): void {
    if (this.#state.lastBegun === this.#state.round) return;
    this.#state.lastBegun = this.#state.round;
    this.#state.begun += 1;
  }

  #adopt(open: OpenRound, job: JobSnapshot, seenAlive: boolean): JobSnapshot {
    const { key, rows, takes } = open;
    Object.assign(this.#state, adopted(this.#state, { key, rows, takes, job, seenAlive, now: Date.now() }));
    return job;
  }

  #leave(job: JobSnapshot): false {
    const state = this.#state;
    if (state.active !== null) {
      this.#openJob = toOpenJob(this.#input.shard, state.round, job, state.active.rows);
      Object.assign(state, left(state));
    }
    return false;
  }

  async #close(deleted: boolean): Promise<boolean> {
    const active = this.#state.active;
    if (active === null) return false;
    const { job, key } = active;
    let listed: number | 'taken' | null;
    let sums: CollectResult | typeof INTERRUPTED;
    try {
      listed = await this.#jobs.settle(active, deleted);
      if (listed === null) return true;
      sums = await this.#collect(active, deleted);
    } catch (error) {
      this.#fail(error);
      return this.#leave(job);
    }
    if (sums === INTERRUPTED) return this.#leave(job);
    if (!this.#absorb(sums, listed === 'taken' ? null : { key, listedAt: listed })) return false;
    if (!sums.quota) this.#state.quotaWaits = 0;
    else if (!this.control.stopping) {
      // The round just closed; one that was adopted was begun by another run, and has not been counted.
      if (this.#state.lastBegun === this.#state.round - 1) this.#state.begun -= 1;
      await this.#waits.forQuota(this.#state.quotaWaits++);
    }
    return true;
  }

  async #collect(
    { job, takes, cancelAskedAt }: ActiveRound,
    deleted: boolean,
  ): Promise<CollectResult | typeof INTERRUPTED> {
    const duplicates = duplicatesOfRound(this.#state);
    const expires = this.control.deadlinePassed && cancelAskedAt !== null;
    const collect = () =>
      activities.collect(this.#summary(), {
        ...this.#where(),
        job,
        deleted,
        deadlinePassed: expires && this.control.state.cancel === null,
        takes,
        duplicates,
      });
    const stop = () => this.control.discarding;
    return untilStopped(stop, () => this.#waits.patiently(collect));
  }

  /** Adds a closed round to the shard's sums; false if they can't be true. `own`: null if its key is not looked for again. */
  #absorb(sums: RoundSums, own: { readonly key: string; readonly listedAt: number } | null): boolean {
    const { problem, ...changes } = absorbed(this.#state, sums, own);
    Object.assign(this.#state, changes);
    if (problem === null) return true;
    this.#state.failure = { type: 'AccountingMismatch', message: `${this.#summary()}: ${problem}` };
    return false;
  }

  #fail(error: unknown): void {
    const failure = knownFailure(error);
    if (failure === null) throw error;
    this.#state.failure = { type: failure.type, message: failure.message };
  }

  async #continueAsNewIfDue(): Promise<void> {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const { maxHistory } = this.#input.settings;
    if (!continueAsNewSuggested && (maxHistory === null || historyLength < maxHistory)) return;
    // The next run of the shard begins without a wait; its batch must not go on believing in one.
    await this.#waits.over();
    await condition(allHandlersFinished);
    this.#state.control = this.control.state;
    this.#state.stopSince = this.control.stopSince;
    await continueAsNew<typeof runShard>({ ...this.#input, carried: this.#state });
  }

  #where(): { readonly shard: number; readonly round: number } {
    return { shard: this.#input.shard, round: this.#state.round };
  }

  #summary(): string {
    return `shard ${this.#input.shard}, round ${this.#state.round}`;
  }
}
