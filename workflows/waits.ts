import { condition } from '@temporalio/workflow';
import { quotaWaitMs } from '../batch/wait-policy.js';
import type { Control } from './control.js';

/** Until somebody says `resume`: only a person can mend a key. */
export async function waitForAuth(control: Control): Promise<void> {
  await condition(saysGoOn(control));
}

/** Until `resume`, or the next try is due. `attempt` counts the waits before this one. */
export async function waitForQuota(control: Control, attempt: number): Promise<void> {
  await condition(saysGoOn(control), quotaWaitMs(attempt), { summary: 'next try for quota' });
}

function saysGoOn(control: Control): () => boolean {
  const { resumes } = control;
  return () => control.resumes > resumes || control.stopping;
}
