import type { FindJobInput, OpenRound } from '../activities/contract.js';
import { isStoreLost } from '../batch/failure-types.js';
import { isTerminal } from '../batch/job-phase.js';
import { isShown } from '../batch/job-snapshot.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import { toOpenJob, toRecheck } from '../batch/shard-state.js';
import type { ActiveRound, ShardState } from '../batch/shard-state.js';
import { knownFailure } from './activity-failure.js';
import type { Control } from './control.js';
import { INTERRUPTED, untilStopped } from './interruptible.js';
import type { RunShardInput } from './messages.js';
import { activities, lookForDuplicates } from './proxies.js';
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
   * deletion, and another one is left, that one is to be watched instead: it may be what a second store keeps. One that a
   * poll did not find is watched on as long as it is there all the same, and as long as nobody could look.
   * Null: there is something to watch. Otherwise when the key was listed, Unix milliseconds; 0: it could not be. `taken`: it
   * could not be, and what others have left in the place of the job that they cancelled is not ours to cancel.
   * @throws a failure of a store that is lost
   */
  async settle(active: ActiveRound, deleted: boolean): Promise<number | 'taken' | null> {
    const { job, key } = active;
    const taken = deleted || isTaken(active);
    const lost = taken && !this.#control.stopping ? { lost: job.jobId } : {};
    // Where others cancelled it, what they left may be all that comes of the round: that look is not done without.
    const bounded = deleted || lost.lost === undefined;
    const kept = await this.#relist(key, this.#state.round, { ...lost, bounded });
    if (kept === INTERRUPTED && deleted) return null;
    if (kept === INTERRUPTED) return lost.lost === undefined ? 0 : 'taken';
    const listedAt = Date.now();
    if (kept.jobId === job.jobId) {
      if (!deleted || !isShown(kept)) return listedAt;
      this.#state.active = { ...active, job: kept };
      return null;
    }
    if (lost.lost === undefined) return listedAt;
    // No list has it any more; it ran all the same, and may be paid for.
    if (deleted) this.#note(job);
    this.#state.active = { ...active, job: kept, knownSince: Date.now(), completedBefore: 0 };
    return null;
  }

  /** Once more before the shard closes; a job that was left before its end was not listed at its end. */
  async recheck(): Promise<void> {
    const { active, recheck, round } = this.#state;
    const { createSettleMs } = this.#input.settings;
    const due = active === null ? toRecheck(recheck, Date.now(), createSettleMs) : recheck;
    // Of a job that others have cancelled and that was not collected, the next run looks for what they left.
    const open = active === null || isTaken(active) ? [] : [{ key: active.key, round }];
    for (const closed of [...due, ...open]) {
      try {
        await this.#relist(closed.key, closed.round);
      } catch (error) {
        if (knownFailure(error) === null) throw error;
      }
    }
  }

  /**
   * Lists a round's key again: a create that the provider committed late, or a rival's, shows by now. Interrupted where
   * the provider can't be asked: a duplicate is looked for again before the shard closes, and by the next run; answers
   * come first.
   */
  async #relist(
    key: string,
    round: number,
    { bounded = true, ...how }: Pick<FindJobInput, 'lost'> & { readonly bounded?: boolean } = {},
  ): Promise<JobSnapshot | typeof INTERRUPTED> {
    try {
      const look = () => this.#find(key, round, { relist: true, ...how }, bounded);
      // Never null: a job of this key is on record.
      return (await this.#waits.patiently(look, { quota: !bounded })) ?? INTERRUPTED;
    } catch (error) {
      const failure = knownFailure(error);
      if (failure === null || isStoreLost(failure.type)) throw error;
      return INTERRUPTED;
    }
  }

  async #find(
    key: string,
    round: number,
    how: Pick<FindJobInput, 'relist' | 'closes' | 'lost'>,
    bounded = false,
  ): Promise<JobSnapshot | typeof INTERRUPTED | null> {
    const { shard } = this.#input;
    const look = bounded ? lookForDuplicates : activities.findJob;
    const found = await untilStopped(
      () => this.#control.patienceOver,
      () => look(this.#summary(round), { shard, round, key, ...how }),
    );
    if (found === INTERRUPTED) return INTERRUPTED;
    await this.#cancelDuplicates(round, found.duplicates);
    return found.job;
  }

  async #cancelDuplicates(round: number, duplicates: readonly JobSnapshot[]): Promise<void> {
    for (const duplicate of duplicates) {
      const { phase } = duplicate;
      // One whose cancel failed before, or was not heard, is asked again.
      const ends = isTerminal(phase) || phase === 'cancelling';
      const seen = ends ? duplicate : await this.#cancelDuplicate(duplicate);
      this.#note(seen, round);
    }
  }

  #note(job: JobSnapshot, round = this.#state.round): void {
    const entry = toOpenJob(this.#input.shard, round, job, job.counts.total);
    const others = this.#state.duplicates.filter(({ jobId }) => jobId !== job.jobId);
    this.#state.duplicates = [...others, entry];
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

/** Others have cancelled it. */
function isTaken({ job, cancelAskedAt }: ActiveRound): boolean {
  return job.phase === 'cancelled' && cancelAskedAt === null;
}
