import { parseJson } from '../batch/json-text.js';
import { layout } from '../batch/layout.js';
import type { Manifest } from '../batch/manifest.js';
import { manifestSchema } from '../schemas/manifest.js';
import { newOwnerMark } from '../storage/owner-mark.js';
import type { Store } from '../storage/store.js';

/**
 * Removes the manifest if its text is still this one; false: it is not, and whatever is there stays. Whoever was held up
 * since it read a manifest may find that of a later run, which is that run's record of being done.
 *
 * No store removes a file on condition of its content. So it is looked at again, then moved to a name of its own and
 * looked at once more: nobody else changes it there. What remains: a process that is stopped in the microseconds between
 * the look and the move may move a later manifest. It is not lost: it is put back right away, or, if the process is
 * killed there too, by the next activity of the batch that looks for a manifest. Until then commands don't see it.
 */
export async function takeAway(store: Store, batchId: string, text: string): Promise<boolean> {
  const path = layout.manifest(batchId);
  if ((await textOf(store, path)) !== text) return false;
  const taken = layout.takenManifest(batchId, newOwnerMark());
  if (!(await store.move(path, taken))) return false;
  if ((await textOf(store, taken)) === text) {
    await store.remove(taken);
    return true;
  }
  await settleTaken(store, batchId);
  return false;
}

/**
 * Puts back what was taken away by mistake, and removes what was taken away rightly: its generation is on record. May
 * come in between for somebody who is just doing so himself; each step is done by whoever comes first.
 */
export async function settleTaken(store: Store, batchId: string): Promise<void> {
  const folder = layout.archivedManifests(batchId);
  const taken: string[] = [];
  for await (const { path } of store.list(folder)) {
    if (path.startsWith(`${folder}/taken-`)) taken.push(path);
  }
  for (const path of taken) {
    const text = await textOf(store, path);
    if (text !== null && (await isSettled(store, batchId, text))) await store.remove(path);
  }
}

/** Whether nothing is lost without this copy. */
async function isSettled(store: Store, batchId: string, text: string): Promise<boolean> {
  const generation = generationIn(text);
  if (generation !== null && (await isArchived(store, batchId, generation))) return true;
  const path = layout.manifest(batchId);
  const { created } = await store.writeSmall(path, text, { ifAbsent: true });
  if (created) return true;
  const standing = await textOf(store, path);
  if (standing === null || standing === text) return standing !== null;
  const newer = generationIn(standing);
  if (generation === null || newer === null || newer < generation) return false;
  // Of two runs of one generation the one whose manifest stands is in the right (see assemble).
  if (newer > generation) {
    await store.writeSmall(layout.archivedManifest(batchId, generation), text, { ifAbsent: true });
  }
  return true;
}

async function isArchived(store: Store, batchId: string, generation: number): Promise<boolean> {
  return (await store.stat(layout.archivedManifest(batchId, generation))) !== null;
}

/** Null for what this version can't read. */
function generationIn(text: string): number | null {
  const parsed = manifestSchema.safeParse(parseJson(text));
  return parsed.success ? generationOf(parsed.data) : null;
}

export function generationOf({ generation }: Pick<Manifest, 'generation'>): number {
  return generation ?? 1;
}

async function textOf(store: Store, path: string): Promise<string | null> {
  const bytes = await store.readSmall(path);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
