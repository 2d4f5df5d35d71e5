import { layout } from '../batch/layout.js';
import { ProviderError } from '../providers/errors.js';
import { roundAccountSchema } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import { currentAttempt } from './attempt.js';
import type { CleanupInput } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { requirePlan } from './records.js';

/**
 * Deletes a finished batch's files at the provider; jobs are never deleted.
 *
 * *Idempotency*: a file that is gone already is what was wanted.
 * *Retries*: for two hours; a file left behind costs nothing.
 * *Cancellation*: stops between two files.
 */
export async function cleanup(deps: ActivityDeps, input: CleanupInput): Promise<Record<string, never>> {
  const { batchId, signal, beat } = currentAttempt();
  const plan = await requirePlan(deps.store, batchId);
  const provider = deps.provider(plan.provider);
  for await (const { path } of deps.store.list(layout.rounds(batchId))) {
    if (!path.endsWith('/account.json')) continue;
    const account = await readRecord(deps.store, path, roundAccountSchema);
    if (account === null) continue;
    const files =
      input.cleanup === 'all' ? [...account.files.input, ...account.files.output] : account.files.input;
    for (const fileId of files) {
      beat(fileId);
      try {
        await provider.deleteFile(fileId, { signal });
      } catch (error) {
        if (!(error instanceof ProviderError) || error.type !== 'ProviderNotFound') throw error;
      }
    }
  }
  return {};
}
