import { layout } from '../batch/layout.js';
import type { BatchSummary, Manifest } from '../batch/manifest.js';
import { manifestSchema } from '../schemas/manifest.js';
import { sha256Hex } from '../storage/hash.js';
import type { Store } from '../storage/store.js';
import { readRecordText } from '../storage/record.js';
import { recordText } from './records.js';
import { generationOf, settleTaken, takeAway } from './taken-manifest.js';

/** A manifest and its file's own text: a later version may have written fields that this one does not read. */
export interface ManifestFile {
  readonly manifest: Manifest;
  readonly text: string;
}

export function manifestFile(manifest: Manifest): ManifestFile {
  return { manifest, text: recordText(manifest) };
}

/** The manifest in force, also one that somebody took away by mistake and was killed before it was back. */
export async function readManifest(store: Store, batchId: string): Promise<ManifestFile | null> {
  const found = await read(store, batchId);
  if (found !== null) return found;
  await settleTaken(store, batchId);
  return read(store, batchId);
}

async function read(store: Store, batchId: string): Promise<ManifestFile | null> {
  const found = await readRecordText(store, layout.manifest(batchId), manifestSchema);
  return found === null ? null : { manifest: found.record, text: found.text };
}

/** Numbers of the manifests that were retired, ascending. */
export async function archivedGenerations(store: Store, batchId: string): Promise<number[]> {
  const generations: number[] = [];
  for await (const { path } of store.list(layout.archivedManifests(batchId))) {
    const match = /\/manifests\/([1-9]\d*)\.json$/.exec(path);
    if (match?.[1] !== undefined) generations.push(Number(match[1]));
  }
  return generations.toSorted((a, b) => a - b);
}

/**
 * Takes a manifest out of force, so that a run may go on: first the copy, then the removal. Killed between the two,
 * the next attempt finds both and removes the original. False: it is not the one in force any more; look again.
 */
export async function retireManifest(
  store: Store,
  batchId: string,
  { manifest, text }: ManifestFile,
): Promise<boolean> {
  const path = layout.archivedManifest(batchId, generationOf(manifest));
  await store.writeSmall(path, text, { ifAbsent: true });
  return takeAway(store, batchId, text);
}

export function summaryOf(store: Store, { manifest, text }: ManifestFile): BatchSummary {
  const { batchId, generation, outcome, rows, jobs, failure } = manifest;
  return {
    batchId,
    generation,
    outcome: outcome ?? 'failed',
    rows,
    jobs: jobs.length,
    manifest: { uri: store.uriOf(layout.manifest(batchId)), sha256: sha256Hex(text) },
    failure,
  };
}
