import { layout } from '../batch/layout.js';
import { parseRunBatchInput } from '../schemas/run-batch-input.js';
import { planSchema } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import { currentAttempt } from './attempt.js';
import type { FindPlanResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { archivedGenerations, readManifest } from './manifest-file.js';
import { preparedBy } from './prepared.js';
import { jobTimeoutMs, resolveSettings } from './settings.js';

/**
 * What an earlier run planned, for a run that is cancelled before it has a plan of its own: that run's jobs may still be
 * running. The input is not read, since nothing of it will be sent.
 *
 * *Idempotency*: reads.
 * *Retries*: from the start.
 * *Cancellation*: not asked for; it takes as long as reading two small files.
 */
export async function findPlan(deps: ActivityDeps, rawInput: unknown): Promise<FindPlanResult> {
  const { batchId } = currentAttempt();
  const parsed = parseRunBatchInput(rawInput);
  if (!parsed.ok) return { plan: null };
  const input = parsed.value;
  const { store } = deps;
  const plan = await readRecord(store, layout.plan(batchId), planSchema);
  // A manifest is the end of that run, and of its jobs.
  if (plan === null || (await readManifest(store, batchId)) !== null) return { plan: null };
  const isSame =
    plan.storeId === (await store.identity()) &&
    plan.provider === input.provider &&
    plan.endpoint === input.endpoint &&
    plan.model === input.model &&
    plan.jobTimeoutMs === jobTimeoutMs(input) &&
    (input.input.sha256 === undefined || input.input.sha256 === plan.input.sha256);
  if (!isSame) return { plan: null };
  const archived = await archivedGenerations(store, batchId);
  return {
    plan: preparedBy(plan, { archived, resumed: true, settings: resolveSettings(input, deps) }),
  };
}
