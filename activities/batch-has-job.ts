import { waitsFor } from '../batch/failure-types.js';
import { layout, numberedFile, roundFile } from '../batch/layout.js';
import { ProviderError } from '../providers/errors.js';
import { intentSchema } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

/**
 * Whether any round of the batch has a job, asked for failures that a shard waits out only then: a key that stops
 * working in mid-run, as opposed to one that never worked. False for all others. For the key, a create without an answer
 * is a job: it may run, and only a key that works finds it.
 */
export async function batchHasJob(store: Store, batchId: string, error: unknown): Promise<boolean> {
  const waits = error instanceof ProviderError ? waitsFor(error.type) : null;
  if (waits === null) return false;
  try {
    const { hasJob, unrefused } = await createsOf(store, batchId);
    return hasJob || (waits === 'auth' && (await isAnySent(store, unrefused)));
  } catch {
    // The provider's failure is the one to report.
    return false;
  }
}

async function createsOf(
  store: Store,
  batchId: string,
): Promise<{ readonly hasJob: boolean; readonly unrefused: readonly string[] }> {
  const intents: string[] = [];
  const refused = new Set<string>();
  for await (const { path } of store.list(layout.rounds(batchId))) {
    if (path.endsWith('/job.json')) return { hasJob: true, unrefused: [] };
    const folder = path.slice(0, path.lastIndexOf('/'));
    const refusal = numberedFile(path, 'refused');
    if (refusal !== null) refused.add(roundFile.intent(folder, refusal));
    if (numberedFile(path, 'intent') !== null) intents.push(path);
  }
  return { hasJob: false, unrefused: intents.filter((path) => !refused.has(path)) };
}

async function isAnySent(store: Store, intents: readonly string[]): Promise<boolean> {
  for (const path of intents) {
    const intent = await readRecord(store, path, intentSchema);
    if (intent !== null && intent.closes === undefined) return true;
  }
  return false;
}
