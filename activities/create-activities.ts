import { cancellationDetails } from '@temporalio/activity';
import { assemble } from './assemble.js';
import { currentAttempt, passOn, showLife } from './attempt.js';
import { batchHasJob } from './batch-has-job.js';
import { BatchError } from './batch-error.js';
import { beginRound } from './begin-round.js';
import { cancelJob } from './cancel-job.js';
import { checkAccount } from './check-account.js';
import { cleanup } from './cleanup.js';
import { collect } from './collect.js';
import type { Activities } from './contract.js';
import { createJob } from './create-job.js';
import type { ActivityDeps } from './deps.js';
import { findJob } from './find-job.js';
import { findPlan } from './find-plan.js';
import { getJob } from './get-job.js';
import { prepare } from './prepare.js';
import { toApplicationFailure } from './to-application-failure.js';
import { upload } from './upload.js';

/** All activities over one set of dependencies; a worker registers those of its task queue. */
export function createActivities(deps: ActivityDeps): Activities {
  return {
    prepare: (input) => mapped(deps, () => prepare(deps, input)),
    findPlan: (input) => mapped(deps, () => findPlan(deps, input)),
    checkAccount: () => mapped(deps, () => checkAccount(deps)),
    beginRound: (input) => mapped(deps, () => beginRound(deps, input)),
    findJob: (input) => mapped(deps, () => findJob(deps, input)),
    upload: (input) => mapped(deps, () => upload(deps, input)),
    createJob: (input) => mapped(deps, () => createJob(deps, input)),
    getJob: (input) => mapped(deps, () => getJob(deps, input)),
    cancelJob: (input) => mapped(deps, () => cancelJob(deps, input)),
    collect: (input) => mapped(deps, () => collect(deps, input)),
    assemble: (input) => mapped(deps, () => assemble(deps, input)),
    cleanup: (input) => mapped(deps, () => cleanup(deps, input)),
  };
}

async function mapped<T>({ store }: ActivityDeps, run: () => Promise<T>): Promise<T> {
  const stop = showLife();
  try {
    return await run();
  } catch (error) {
    const { streak, batchId, signal } = currentAttempt();
    const failure = toApplicationFailure(error, {
      streak,
      batchHasJob: await batchHasJob(store, batchId, error),
      aborted: signal.aborted,
      cancelRequested: cancellationDetails()?.cancelRequested ?? false,
    });
    passOn(failure, error instanceof BatchError ? error : {});
    throw failure;
  } finally {
    stop();
  }
}
