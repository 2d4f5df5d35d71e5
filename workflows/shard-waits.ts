import { getExternalWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import { waitsFor } from '../batch/failure-types.js';
import type { ShardPhase } from '../batch/progress.js';
import { knownFailure } from './activity-failure.js';
import type { Control } from './control.js';
import { shardPhaseSignal } from './messages.js';
import { waitForAuth, waitForQuota } from './waits.js';

/** The waits of a shard for a person or for time, and the phase that tells its batch about them. */
export class ShardWaits {
  phase: ShardPhase = 'running';
  readonly #shard: number;
  readonly #control: Control;

  constructor(shard: number, control: Control) {
    this.#shard = shard;
    this.#control = control;
  }

  async forAuth(): Promise<void> {
    await this.#during('waiting-for-auth', () => waitForAuth(this.#control));
  }

  async forQuota(attempt: number): Promise<void> {
    await this.#during('waiting-for-quota', () => waitForQuota(this.#control, attempt));
  }

  /**
   * Repeats a call on a job that exists for as long as it fails for want of a key or of quota. While the shard
   * is stopping such a failure is final: nobody waits any more.
   */
  async patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        const failure = knownFailure(error);
        const kind = failure === null ? null : waitsFor(failure.type);
        if (kind === null || this.#control.stopping) throw error;
        await (kind === 'auth' ? this.forAuth() : this.forQuota(attempt));
      }
    }
  }

  async #during(phase: ShardPhase, wait: () => Promise<unknown>): Promise<void> {
    await this.#enter(phase);
    await wait();
    await this.#enter('running');
  }

  async #enter(phase: ShardPhase): Promise<void> {
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
