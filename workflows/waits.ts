import { condition } from '@temporalio/workflow';
import { quotaWaitMs } from '../batch/wait-policy.js';
import type { Control } from './control.js';

/**
 * Whether a wait is over: after a `resume` from now on, or a stop. Made before the wait is announced, since a `resume`
 * may arrive while it is.
 */
export function saysGoOn(control: Control): () => boolean {
  const { resumes } = control;
  return () => control.resumes > resumes || control.stopping;
}

/** Until somebody says `resume`: only a person can mend a key. */
export async function waitForAuth(goesOn: () => boolean): Promise<void> {
  await condition(goesOn);
}

/** Until `resume`, or the next try is due. `attempt` counts the waits before this one. */
export async function waitForQuota(goesOn: () => boolean, attempt: number): Promise<void> {
  await condition(goesOn, quotaWaitMs(attempt), { summary: 'next try for quota' });
}
