import { activityInfo } from '@temporalio/activity';
import type { Activities, ActivityName } from '../../activities/contract.js';
import { batchIdOf } from '../../batch/layout.js';

/** One attempt of an activity, as a hook sees it. */
export interface ActivityCall {
  readonly name: ActivityName;
  /** Counts the attempts of this activity in its batch, from 1. */
  readonly n: number;
  readonly workflowId: string;
  readonly input: unknown;
}

/** May throw instead of the activity, or wait: while it does, the server's time stands still. */
export type ActivityHook = (call: ActivityCall) => void | Promise<void>;

/** The activities of one batch under test, with what happens around them. */
export interface HookedBatch {
  readonly activities: Activities;
  readonly started: () => Promise<void>;
  readonly calls: ActivityCall[];
  before: ActivityHook;
  after: ActivityHook;
}

/** Routes each activity to its batch's own, so that one set of workers serves all batches of a test file. */
export function hookedActivities(batchOf: (batchId: string) => HookedBatch): Activities {
  async function hooked<T>(
    name: ActivityName,
    input: unknown,
    run: (own: Activities) => Promise<T>,
  ): Promise<T> {
    const workflowId = activityInfo().workflowExecution?.workflowId ?? '';
    const batch = batchOf(batchIdOf(workflowId));
    const n = batch.calls.filter((call) => call.name === name).length + 1;
    const call = { name, n, workflowId, input };
    batch.calls.push(call);
    await batch.started();
    await batch.before(call);
    const result = await run(batch.activities);
    await batch.after(call);
    return result;
  }
  return {
    prepare: (input) => hooked('prepare', input, (own) => own.prepare(input)),
    findPlan: (input) => hooked('findPlan', input, (own) => own.findPlan(input)),
    checkAccount: (input) => hooked('checkAccount', input, (own) => own.checkAccount(input)),
    beginRound: (input) => hooked('beginRound', input, (own) => own.beginRound(input)),
    findJob: (input) => hooked('findJob', input, (own) => own.findJob(input)),
    upload: (input) => hooked('upload', input, (own) => own.upload(input)),
    createJob: (input) => hooked('createJob', input, (own) => own.createJob(input)),
    getJob: (input) => hooked('getJob', input, (own) => own.getJob(input)),
    cancelJob: (input) => hooked('cancelJob', input, (own) => own.cancelJob(input)),
    collect: (input) => hooked('collect', input, (own) => own.collect(input)),
    assemble: (input) => hooked('assemble', input, (own) => own.assemble(input)),
    cleanup: (input) => hooked('cleanup', input, (own) => own.cleanup(input)),
  };
}
