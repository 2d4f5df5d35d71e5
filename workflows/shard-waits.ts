import { getExternalWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import { waitsFor } from '../batch/failure-types.js';
import type { ShardPhase } from '../batch/progress.js';
import { knownFailure } from './activity-failure.js';
import type { Control } from './control.js';
import { shardPhaseSignal } from './messages.js';
import { saysGoOn, waitForAuth, waitForQuota } from './waits.js';

/**
 * The waits of a shard for a person or for time, and the phase that tells its batch about them. A try that is refused
 * again belongs to the same wait: a batch of hundreds of shards that wait for days hears of each wait twice, when it
 * begins and when it is over.
 */
export class ShardWaits {
  phase: ShardPhase = 'running';
  readonly #shard: number;
  readonly #control: Control;

  constructor(shard: number, control: Control) {
    this.#shard = shard;
    this.#control = control;
  }

  async forAuth(): Promise<void> {
    await this.#during('waiting-for-auth', waitForAuth);
  }

  async forQuota(attempt: number): Promise<void> {
    await this.#during('waiting-for-quota', (goesOn) => waitForQuota(goesOn, attempt));
  }

  /** A key was good for a call. Quota is refused where a job is to be made, and nowhere else. */
  async keyWorks(): Promise<void> {
    if (this.phase === 'waiting-for-auth') await this.over();
  }

  /** What was waited for is there, or is not waited for any longer. */
  async over(): Promise<void> {
    await this.#enter('running');
  }

  /**
   * Repeats a call on a job that exists for as long as it fails for want of a key or of quota. While the shard
   * is stopping such a failure is final: nobody waits any more. `quota`: false where the shard can do without the call.
   */
  async patiently<T>(
    call: () => Promise<T>,
    { quota = true }: { readonly quota?: boolean } = {},
  ): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = await call();
        await this.over();
        return result;
      } catch (error) {
        const failure = knownFailure(error);
        const kind = failure === null ? null : waitsFor(failure.type);
        if (kind === null || this.#control.stopping || (kind === 'quota' && !quota)) {
          await this.over();
          throw error;
        }
        await (kind === 'auth' ? this.forAuth() : this.forQuota(attempt));
      }
    }
  }

  async #during(phase: ShardPhase, wait: (goesOn: () => boolean) => Promise<void>): Promise<void> {
    const goesOn = saysGoOn(this.#control);
    await this.#enter(phase);
    await wait(goesOn);
    if (this.#control.stopping) await this.over();
  }

  async #enter(phase: ShardPhase): Promise<void> {
    if (phase === this.phase) return;
    this.phase = phase;
    const { parent } = workflowInfo();
    if (parent === undefined) return;
    try {
      await getExternalWorkflowHandle(parent.workflowId).signal(shardPhaseSignal, {
        shard: this.#shard,
        phase,
      });
    } catch {
      // The batch has closed: nobody is left to be told.
    }
  }
}
