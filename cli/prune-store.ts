import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isBatchId } from '../batch/batch-id.js';
import { layout, STAGED_INPUT } from '../batch/layout.js';
import type { Outcome } from '../batch/outcome.js';
import { manifestSchema } from '../schemas/manifest.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { parseFileLocation, schemeOf } from '../storage/uri.js';

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
      ? { outcome: null, at: new Date(changedAt).toISOString() }
      : await endOf(store, batchId);
    if (end !== null && Date.parse(end.at) < before) found.push({ batchId, ...end, bytes, files });
  }
  return found.toSorted((a, b) => a.at.localeCompare(b.at));
}

async function endOf(store: Store, batchId: string): Promise<Pick<StoredBatch, 'outcome' | 'at'> | null> {
  const manifest = await readRecord(store, layout.manifest(batchId), manifestSchema);
  if (manifest === null || manifest.outcome === null || manifest.finishedAt === null) return null;
  return { outcome: manifest.outcome, at: manifest.finishedAt };
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

/** The manifest goes first: a removal that is cut short leaves an unfinished batch, not a finished one with holes. */
export async function removeBatch(store: Store, { batchId, files }: StoredBatch): Promise<void> {
  const manifest = layout.manifest(batchId);
  await store.remove(manifest);
  for (const path of files) if (path !== manifest) await store.remove(path);
  // Object stores have no folders that could stay behind.
  if (schemeOf(store.uri) !== 'file') return;
  const root = parseFileLocation(store.uri);
  if (root.ok) await rm(join(root.path, batchId), { recursive: true, force: true });
}
