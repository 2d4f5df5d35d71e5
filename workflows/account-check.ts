import { waitsFor } from '../batch/failure-types.js';
import type { Failure } from '../batch/failure-types.js';
import type { ShardPhase } from '../batch/progress.js';
import { knownFailure } from './activity-failure.js';
import type { Control } from './control.js';
import { untilStopped } from './interruptible.js';
import { activities } from './proxies.js';
import { saysGoOn, waitForAuth, waitForQuota } from './waits.js';

/**
 * Asks whether the key may use batch, before anything is sent; null: it may, or the batch is to stop. A batch that has
 * a job waits for a better key: ending it would give up rows that were paid for, or that another key would have sent.
 */
export async function checkAccount(
  control: Control,
  enter: (phase: ShardPhase) => void,
): Promise<Failure | null> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await untilStopped(
        () => control.stopping,
        () => activities.checkAccount('may the key use batch?', {}),
      );
      enter('running');
      return null;
    } catch (error) {
      const failure = knownFailure(error);
      if (failure === null) throw error;
      const { type, message, status, batchHasJob } = failure;
      const kind = waitsFor(type);
      // Of a short quota more comes in time, as for a create; a key or billing is mended by a person, who reads this.
      const mayWait = batchHasJob || (kind === 'quota' && status !== 402);
      if (kind === null || !mayWait) return { type, message };
      const goesOn = saysGoOn(control);
      enter(kind === 'auth' ? 'waiting-for-auth' : 'waiting-for-quota');
      await (kind === 'auth' ? waitForAuth(goesOn) : waitForQuota(goesOn, attempt));
      if (control.stopping) {
        enter('running');
        return null;
      }
    }
  }
}
