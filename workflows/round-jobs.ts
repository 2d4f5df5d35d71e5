import type { FindJobInput, OpenRound } from '../activities/contract.js';
import { isTerminal } from '../batch/job-phase.js';
import { isShown } from '../batch/job-snapshot.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import { toOpenJob, toRecheck } from '../batch/shard-state.js';
import type { ActiveRound, ShardState } from '../batch/shard-state.js';
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
   * mere cancel: a job that exists has to be found before it can be cancelled. Interrupted when patience is over.
   */
  async find(
    key: string,
    options: { readonly closing: boolean },
  ): Promise<JobSnapshot | typeof INTERRUPTED | null> {
    const closes = options.closing ? { closes: this.#input.run } : {};
    return this.#find(key, this.#state.round, { relist: false, ...closes });
  }

  /** Whether this run has asked for a job of the current round. */
  get mayHaveCreated(): boolean {
    return this.#state.lastCreate === this.#state.round;
  }

  /**
   * Uploads the round's input and creates its job. Interrupted by a stop and by a pause, so that no attempt which comes
   * later creates it: to be looked for, and created after `resume`.
   */
  async create(open: OpenRound): Promise<JobSnapshot | typeof INTERRUPTED> {
    const { settings, run, shard } = this.#input;
    const { endpoint, model, jobTimeoutHours, metadata } = settings;
    const { key, path, bytes, sha256, rows } = open;
    const { round } = this.#state;
    const stop = () => this.#control.stopping;
    const file = await untilStopped(stop, () =>
      activities.upload(this.#summary(round), { key, path, bytes, sha256, rows }),
    );
    if (file === INTERRUPTED) return INTERRUPTED;
    await this.#control.whilePaused();
    if (this.#control.stopping) return INTERRUPTED;
    this.#state.lastCreate = round;
    const job = { shard, round, key, fileId: file.fileId, endpoint, model, jobTimeoutHours, metadata, run };
    const held = () => this.#control.stopping || this.#control.state.paused;
    const created = await untilStopped(held, () => activities.createJob(this.#summary(round), job));
    if (created === INTERRUPTED) return INTERRUPTED;
    await this.#cancelDuplicates(round, created.duplicates);
    return created.job;
  }

  /**
   * Looks for other jobs with the key of a round whose job has ended. If it was taken away, by somebody's cancel or
   * deletion, and another one is left, that one is to be watched instead (true): it may be what a second store keeps.
   * One that a poll did not find and that is there all the same was not deleted, and is watched on (true).
   */
  async settle(active: ActiveRound, deleted: boolean): Promise<boolean> {
    const { job, key, cancelAskedAt } = active;
    const taken = deleted || (job.phase === 'cancelled' && cancelAskedAt === null);
    const lost = taken && !this.#control.stopping ? { lost: job.jobId } : {};
    const kept = await this.#relist(key, this.#state.round, lost);
    if (kept === null) return false;
    const isSame = kept.jobId === job.jobId;
    if (isSame ? !deleted || !isShown(kept) : lost.lost === undefined) return false;
    this.#state.active = isSame
      ? { ...active, job: kept }
      : { ...active, job: kept, knownSince: Date.now(), completedBefore: 0 };
    return true;
  }

  /** Once more before the shard closes; a job that was left before its end was not listed at its end. */
  async recheck(): Promise<void> {
    const { active, recheck, round } = this.#state;
    const { createSettleMs } = this.#input.settings;
    const due = active === null ? toRecheck(recheck, Date.now(), createSettleMs) : recheck;
    for (const closed of due) await this.#relist(closed.key, closed.round);
    if (active !== null) await this.#relist(active.key, round);
  }

  /** Lists a round's key again: a create that the provider committed late, or a rival's, shows by now. */
  async #relist(
    key: string,
    round: number,
    how: Pick<FindJobInput, 'lost'> = {},
  ): Promise<JobSnapshot | null> {
    try {
      const found = await this.#waits.patiently(() => this.#find(key, round, { relist: true, ...how }));
      return found === INTERRUPTED ? null : found;
    } catch (error) {
      // A duplicate that can't be looked for now is looked for by the next run; answers come first.
      if (knownFailure(error) === null) throw error;
      return null;
    }
  }

  async #find(
    key: string,
    round: number,
    how: Pick<FindJobInput, 'relist' | 'closes' | 'lost'>,
  ): Promise<JobSnapshot | typeof INTERRUPTED | null> {
    const { shard } = this.#input;
    const found = await untilStopped(
      () => this.#control.patienceOver,
      () => activities.findJob(this.#summary(round), { shard, round, key, ...how }),
    );
    if (found === INTERRUPTED) return INTERRUPTED;
    await this.#cancelDuplicates(round, found.duplicates);
    return found.job;
  }

  async #cancelDuplicates(round: number, duplicates: readonly JobSnapshot[]): Promise<void> {
    for (const duplicate of duplicates) {
      const { jobId, phase } = duplicate;
      // One whose cancel failed before, or was not heard, is asked again.
      const ends = isTerminal(phase) || phase === 'cancelling';
      const seen = ends ? duplicate : await this.#cancelDuplicate(duplicate);
      const entry = toOpenJob(this.#input.shard, round, seen, seen.counts.total);
      const others = this.#state.duplicates.filter((known) => known.jobId !== jobId);
      this.#state.duplicates = [...others, entry];
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
