import { afterAll, beforeAll, inject } from 'vitest';
import { WorkflowEnv } from './workflow-env.js';

export const MINUTE = 60_000;
/** Settings of a batch whose polls come at times that a test can count with. */
export const eachMinute = { pollMin: '1m', pollMax: '1m' } as const;

/** A time-skipping server for the tests of a file, from before the first to after the last of them. */
export function timeSkippingEnv(): () => WorkflowEnv {
  let env: WorkflowEnv | null = null;
  beforeAll(async () => {
    env = await WorkflowEnv.start(inject('workflowBundlePath'));
  });
  afterAll(() => env?.close());
  return () => {
    if (env === null) throw new Error('the server has not been started');
    return env;
  };
}
