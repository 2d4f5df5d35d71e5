import { waitsFor } from '../batch/failure-types.js';
import { layout } from '../batch/layout.js';
import { ProviderError } from '../providers/errors.js';
import type { Store } from '../storage/store.js';
import { mayHaveJob } from './sent-creates.js';

/**
 * Whether any round of the batch has a job, asked for failures that a shard waits out only then: a key that stops
 * working in mid-run, as opposed to one that never worked, and likewise an account. False for all others. A create without
 * an answer is a job: it may run, and only calls that are answered find it.
 */
export async function batchHasJob(store: Store, batchId: string, error: unknown): Promise<boolean> {
  if (!(error instanceof ProviderError) || waitsFor(error.type) === null) return false;
  try {
    return await mayHaveJob(store, layout.rounds(batchId));
  } catch {
    // The provider's failure is the one to report.
    return false;
  }
}
