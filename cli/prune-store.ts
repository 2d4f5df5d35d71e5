import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isBatchId } from '../batch/batch-id.js';
import { layout } from '../batch/layout.js';
import type { Outcome } from '../batch/outcome.js';
import { manifestSchema } from '../schemas/manifest.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { parseFileLocation, schemeOf } from '../storage/uri.js';

/** A finished batch in the store, and what it takes up. */
export interface StoredBatch {
  readonly batchId: string;
  readonly outcome: Outcome;
  /** ISO 8601 UTC */
  readonly finishedAt: string;
  readonly bytes: number;
  readonly files: readonly string[];
}

/** Batches whose manifest says that they finished before a time (Unix milliseconds), oldest first. */
export async function findPrunable(store: Store, before: number): Promise<StoredBatch[]> {
  const found: StoredBatch[] = [];
  for (const [batchId, { files, bytes }] of await filesByBatch(store)) {
    const manifest = await readRecord(store, layout.manifest(batchId), manifestSchema);
    if (manifest === null || manifest.outcome === null || manifest.finishedAt === null) continue;
    const { outcome, finishedAt } = manifest;
    if (Date.parse(finishedAt) < before) found.push({ batchId, outcome, finishedAt, bytes, files });
  }
  return found.toSorted((a, b) => a.finishedAt.localeCompare(b.finishedAt));
}

async function filesByBatch(store: Store): Promise<Map<string, { files: string[]; bytes: number }>> {
  const batches = new Map<string, { files: string[]; bytes: number }>();
  for await (const { path, bytes } of store.list('')) {
    const [batchId = '', ...rest] = path.split('/');
    if (rest.length === 0 || !isBatchId(batchId)) continue;
    const batch = batches.get(batchId) ?? { files: [], bytes: 0 };
    batch.files.push(path);
    batch.bytes += bytes;
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
