import { layout } from '../batch/layout.js';
import type { BatchSummary, Manifest } from '../batch/manifest.js';
import { manifestSchema } from '../schemas/manifest.js';
import { sha256Hex } from '../storage/hash.js';
import type { Store } from '../storage/store.js';
import { readRecordText } from '../storage/record.js';
import { recordText } from './records.js';

/** A manifest and its file's own text: a later version may have written fields that this one does not read. */
export interface ManifestFile {
  readonly manifest: Manifest;
  readonly text: string;
}

export function manifestFile(manifest: Manifest): ManifestFile {
  return { manifest, text: recordText(manifest) };
}

export async function readManifest(store: Store, batchId: string): Promise<ManifestFile | null> {
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
 * the next attempt finds both and removes the original.
 */
export async function retireManifest(
  store: Store,
  batchId: string,
  { manifest, text }: ManifestFile,
): Promise<void> {
  const path = layout.archivedManifest(batchId, manifest.generation ?? 1);
  await store.writeSmall(path, text, { ifAbsent: true });
  await store.remove(layout.manifest(batchId));
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
