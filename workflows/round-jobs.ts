import type { OpenRound } from '../activities/contract.js';
import { isTerminal } from '../batch/job-phase.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import { toOpenJob } from '../batch/shard-state.js';
import type { ShardState } from '../batch/shard-state.js';
import { knownFailure } from './activity-failure.js';
import type { Control } from './control.js';
import { INTERRUPTED, untilStopped } from './interruptible.js';
import type { RunShardInput } from './messages.js';
import { activities } from './proxies.js';
import type { ShardWaits } from './shard-waits.js';

/** The provider's jobs of a shard's rounds: found, created, and freed of duplicates. */
export class RoundJobs {
  readonly #input: RunShardInput;
  readonly #state: ShardState;
  readonly #control: Control;
  readonly #waits: ShardWaits;

  constructor(input: RunShardInput, state: ShardState, control: Control, waits: ShardWaits) {
    this.#input = input;
    this.#state = state;
    this.#control = control;
    this.#waits = waits;
  }

  /**
   * The job of the current round. Waits until an unanswered create would be listed, and is not cut short by a
   * mere cancel: a job that exists has to be found before it can be cancelled.
   */
  async find(key: string): Promise<JobSnapshot | null> {
    return this.#find(key, this.#state.round, false);
  }

  /** Uploads the round's input and creates its job; null when stopped before there was one. */
  async create(open: OpenRound): Promise<JobSnapshot | null> {
    const { settings, run, shard } = this.#input;
    const { endpoint, model, jobTimeoutHours, metadata } = settings;
    const { key, path, bytes, sha256, rows } = open;
    const { round } = this.#state;
    const stop = () => this.#control.stopping;
    const file = await untilStopped(stop, () =>
      activities.upload(this.#summary(round), { key, path, bytes, sha256, rows }),
    );
    if (file === INTERRUPTED) return null;
    await this.#control.whilePaused();
    if (this.#control.stopping) return null;
    const job = { shard, round, key, fileId: file.fileId, endpoint, model, jobTimeoutHours, metadata, run };
    const created = await untilStopped(stop, () => activities.createJob(this.#summary(round), job));
    // The create was cut short without an id: whatever it left at the provider is found, to be cancelled.
    if (created === INTERRUPTED) return this.find(key);
    await this.#cancelDuplicates(round, created.duplicates);
    return created.job;
  }

  /** Lists a round's key again: a create that the provider committed late, or a rival's, shows by now. */
  async relist(key: string, round: number): Promise<void> {
    try {
      await this.#waits.patiently(() => this.#find(key, round, true));
    } catch (error) {
      // A duplicate that can't be looked for now is looked for by the next run; answers come first.
      if (knownFailure(error) === null) throw error;
    }
  }

  /**
   * Once more before the shard closes. The last round was listed a moment ago, when its job had ended; a job that was
   * left before its end was not.
   */
  async recheck(): Promise<void> {
    const { active, recheck, round } = this.#state;
    for (const closed of active === null ? recheck.slice(0, -1) : recheck) {
      await this.relist(closed.key, closed.round);
    }
    if (active !== null) await this.relist(active.key, round);
  }

  async #find(key: string, round: number, relist: boolean): Promise<JobSnapshot | null> {
    const { shard } = this.#input;
    const found = await untilStopped(
      () => this.#control.patienceOver,
      () => activities.findJob(this.#summary(round), { shard, round, key, relist }),
    );
    if (found === INTERRUPTED) return null;
    await this.#cancelDuplicates(round, found.duplicates);
    return found.job;
  }

  async #cancelDuplicates(round: number, duplicates: readonly JobSnapshot[]): Promise<void> {
    for (const duplicate of duplicates) {
      if (this.#state.duplicates.some(({ jobId }) => jobId === duplicate.jobId)) continue;
      const seen = isTerminal(duplicate.phase) ? duplicate : await this.#cancelDuplicate(duplicate);
      const entry = toOpenJob(this.#input.shard, round, seen, seen.counts.total);
      this.#state.duplicates = [...this.#state.duplicates, entry];
    }
  }

  async #cancelDuplicate(duplicate: JobSnapshot): Promise<JobSnapshot> {
    const { jobId } = duplicate;
    try {
      return await activities.cancelJob(`cancel duplicate ${jobId}`, { jobId });
    } catch (error) {
      // Listed all the same, with its last status: the manifest must not hide a job that may be paid for.
      if (knownFailure(error) === null) throw error;
      return duplicate;
    }
  }

  #summary(round: number): string {
    return `shard ${this.#input.shard}, round ${round}`;
  }
}
