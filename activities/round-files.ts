import { layout, numberedFile, roundFile } from '../batch/layout.js';
import { intentSchema } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

/** What the store has of each round, by the round's folder. */
export async function filesByRound(
  store: Store,
  batchId: string,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const rounds = new Map<string, Set<string>>();
  for await (const { path } of store.list(layout.rounds(batchId))) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    const paths = rounds.get(folder) ?? new Set();
    rounds.set(folder, paths.add(path));
  }
  return rounds;
}

/**
 * The key of a round for which every create was definitely refused, else null: no job has its input, and nothing but its
 * name tells where it is at the provider. One intent that may have become a job keeps a round out, however long ago it
 * was; so does a round that never got as far as an intent, whose key is not on record.
 */
export async function refusedKey(
  store: Store,
  folder: string,
  paths: ReadonlySet<string>,
): Promise<string | null> {
  if (paths.has(roundFile.account(folder)) || paths.has(roundFile.job(folder))) return null;
  let key: string | null = null;
  for (const path of paths) {
    const n = numberedFile(path, 'intent');
    if (n === null) continue;
    const intent = await readRecord(store, path, intentSchema);
    if (intent === null || (key !== null && intent.key !== key)) return null;
    // With `closes` nothing was sent under it, nor will be.
    if (intent.closes === undefined && !paths.has(roundFile.refused(folder, n))) return null;
    key = intent.key;
  }
  return key;
}
