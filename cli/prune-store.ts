import { isBatchId } from '../batch/batch-id.js';
import { layout, STAGED_INPUT } from '../batch/layout.js';
import type { Outcome } from '../batch/outcome.js';
import { manifestSchema } from '../schemas/manifest.js';
import { readRecordText } from '../storage/record.js';
import { setAside } from '../storage/set-aside.js';
import type { Store } from '../storage/store.js';

const STAGED = new RegExp(`^[^/]+${STAGED_INPUT}$`);

/** What `clean` may remove of the store, and what it takes up. */
export interface StoredBatch {
  readonly batchId: string;
  /** Null: nothing but the copy of an input, which was refused or never read. */
  readonly outcome: Outcome | null;
  /** When it was finished, or the copy made. ISO 8601 UTC */
  readonly at: string;
  readonly bytes: number;
  readonly files: readonly string[];
  /** Text of the manifest that this was read from; null: there is none. */
  readonly manifest: string | null;
}

/**
 * Batches whose manifest says that they finished before a time (Unix milliseconds), and copies of inputs older than
 * that beside which nothing ever came about; oldest first. Whether a batch without a manifest is open, only Temporal
 * can say.
 */
export async function findPrunable(store: Store, before: number): Promise<StoredBatch[]> {
  const found: StoredBatch[] = [];
  for (const [batchId, { files, bytes, changedAt }] of await filesByBatch(store)) {
    const end = files.every((path) => STAGED.test(path))
      ? { outcome: null, at: new Date(changedAt).toISOString(), manifest: null }
      : await endOf(store, batchId);
    if (end !== null && Date.parse(end.at) < before) found.push({ batchId, ...end, bytes, files });
  }
  return found.toSorted((a, b) => a.at.localeCompare(b.at));
}

async function endOf(
  store: Store,
  batchId: string,
): Promise<Pick<StoredBatch, 'outcome' | 'at' | 'manifest'> | null> {
  const found = await readRecordText(store, layout.manifest(batchId), manifestSchema);
  if (found === null) return null;
  const { outcome, finishedAt } = found.record;
  if (outcome === null || finishedAt === null) return null;
  return { outcome, at: finishedAt, manifest: found.text };
}

interface Contents {
  readonly files: string[];
  bytes: number;
  /** Unix milliseconds */
  changedAt: number;
}

async function filesByBatch(store: Store): Promise<Map<string, Contents>> {
  const batches = new Map<string, Contents>();
  for await (const { path, bytes, modifiedAt } of store.list('')) {
    const [batchId = '', ...rest] = path.split('/');
    if (rest.length === 0 || !isBatchId(batchId)) continue;
    const batch = batches.get(batchId) ?? { files: [], bytes: 0, changedAt: 0 };
    batch.files.push(path);
    batch.bytes += bytes;
    batch.changedAt = Math.max(batch.changedAt, modifiedAt);
    batches.set(batchId, batch);
  }
  return batches;
}

/**
 * Removes a batch if it still is what was found; false: it is not, and stays. It may have been started again since it was
 * looked at, even while this process stood still.
 *
 * A run that goes on takes the manifest away before it begins anything, and its end is another manifest. So the manifest
 * in the folder that was set aside tells, for one moment and all files, whether the batch was at rest. A run that comes
 * later finds nothing and begins anew.
 *
 * What remains: a run that begins between the question and the rename misses its folder until it is put back, a few
 * microseconds later, and fails an attempt or ends as StorageMismatch. Only if this process is stopped at just that place
 * for as long as a create takes could its intent be out of sight, and a second job be made.
 */
export async function removeBatch(
  store: Store,
  batch: StoredBatch,
  isOpen: (batchId: string) => Promise<boolean>,
): Promise<boolean> {
  const { batchId } = batch;
  if (await isOpen(batchId)) return false;
  // Nearly always this tells without touching anything.
  if (!(await isSame(store, `${batchId}/`, batch))) return false;
  const aside = await setAside(store.uri, batchId);
  if (aside === null) return false;
  const mayGo = await isSame(aside.files, '', batch).catch(async (error: unknown) => {
    await aside.putBack();
    throw error;
  });
  if (mayGo) await aside.remove();
  else await aside.putBack();
  return mayGo;
}

/** `folder`: what stands before the batch's paths in this store. */
async function isSame(store: Store, folder: string, batch: StoredBatch): Promise<boolean> {
  const inBatch = (path: string) => folder + path.slice(batch.batchId.length + 1);
  if (batch.manifest !== null) {
    const bytes = await store.readSmall(inBatch(layout.manifest(batch.batchId)));
    return bytes !== null && Buffer.from(bytes).equals(Buffer.from(batch.manifest));
  }
  const known = new Set(batch.files.map(inBatch));
  let files = 0;
  for await (const { path } of store.list(folder)) {
    if (!known.has(path)) return false;
    files += 1;
  }
  return files === known.size;
}
