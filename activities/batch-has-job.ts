import { waitsFor } from '../batch/failure-types.js';
import { layout } from '../batch/layout.js';
import { ProviderError } from '../providers/errors.js';
import type { Store } from '../storage/store.js';

/**
 * Whether any round of the batch has a job, asked for failures that a shard waits out only then: a key that stops
 * working in mid-run, as opposed to one that never worked. False for all others.
 */
export async function batchHasJob(store: Store, batchId: string, error: unknown): Promise<boolean> {
  if (!(error instanceof ProviderError) || waitsFor(error.type) === null) return false;
  try {
    for await (const { path } of store.list(layout.rounds(batchId))) {
      if (path.endsWith('/job.json')) return true;
    }
  } catch {
    // The provider's failure is the one to report.
  }
  return false;
}
