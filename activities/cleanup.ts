import { layout, roundFile } from '../batch/layout.js';
import { inputFileName } from '../batch/orphans.js';
import { JOB_METADATA } from '../batch/wire-names.js';
import { ProviderError } from '../providers/errors.js';
import type { BatchProvider } from '../providers/provider.js';
import { roundAccountSchema } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import { currentAttempt } from './attempt.js';
import type { CleanupInput } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { requirePlan } from './records.js';
import { filesByRound, refusedKey } from './round-files.js';

/**
 * Deletes a finished batch's files at the provider: those of closed rounds, and the input of rounds whose every create
 * was refused. Jobs are never deleted, nor is the input of a job that may be there.
 *
 * *Idempotency*: a file that is gone already is what was wanted.
 * *Retries*: for two hours; a file left behind costs nothing.
 * *Cancellation*: stops between two files.
 */
export async function cleanup(deps: ActivityDeps, input: CleanupInput): Promise<Record<string, never>> {
  const { batchId, signal, beat } = currentAttempt();
  const plan = await requirePlan(deps.store, batchId);
  const provider = deps.provider(plan.provider);
  const remove = async (fileId: string): Promise<void> => {
    beat(fileId);
    try {
      await provider.deleteFile(fileId, { signal });
    } catch (error) {
      if (!(error instanceof ProviderError) || error.type !== 'ProviderNotFound') throw error;
    }
  };
  for (const [folder, paths] of await filesByRound(deps.store, batchId)) {
    const account = paths.has(roundFile.account(folder))
      ? await readRecord(deps.store, roundFile.account(folder), roundAccountSchema)
      : null;
    for (const fileId of account?.files.input ?? []) await remove(fileId);
    if (input.cleanup === 'all') for (const fileId of account?.files.output ?? []) await remove(fileId);
    const key = await refusedKey(deps.store, folder, paths);
    if (key === null) continue;
    beat(key);
    // A run that has come since goes on with this round, and with its file; it puts the manifest away first.
    if ((await deps.store.stat(layout.manifest(batchId))) === null) continue;
    // Two stores may serve one batch: what was refused here may be what the other's job reads.
    if (await hasJob(provider, key, signal)) continue;
    for (const { id } of await provider.findFiles(inputFileName(key), { signal })) await remove(id);
  }
  return {};
}

async function hasJob(provider: BatchProvider, key: string, signal: AbortSignal): Promise<boolean> {
  const metadata = { [JOB_METADATA.key]: key };
  for await (const job of provider.listJobs({ metadata }, { signal })) {
    if (job.metadata[JOB_METADATA.key] === key) return true;
  }
  return false;
}
