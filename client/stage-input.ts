import { layout } from '../batch/layout.js';
import { hashing } from '../storage/hash.js';
import { openInput } from '../storage/input.js';
import type { Store } from '../storage/store.js';
import type { BatchRequest } from './batch-request.js';
import { fromStore } from './errors.js';
import { LonghaulError } from './failures.js';

/**
 * Copies a local input into the store, where workers on other machines find it, and returns its URI there. The
 * name is that of the content, so a second start finds the copy; other inputs are left where they are.
 */
export async function stageInput(
  store: Store,
  { batchId, input }: BatchRequest,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { uri, sha256 = '' } = input.input;
  if (!uri.startsWith('file:') || uri.startsWith(`${store.uri}/`)) return uri;
  const path = layout.stagedInput(batchId, sha256, uri);
  try {
    if ((await store.stat(path)) === null) await copy(store, { uri, path, sha256, signal });
    return store.uriOf(path);
  } catch (error) {
    throw fromStore(error);
  }
}

async function copy(
  store: Store,
  what: {
    readonly uri: string;
    readonly path: string;
    readonly sha256: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  // It is the caller's own file: which folders workers may read does not matter here.
  const input = await openInput(what.uri, { roots: ['/'], store });
  const source = hashing(input.raw(what.signal));
  const writer = await store.openWriter(what.path, { ifAbsent: true });
  try {
    for await (const chunk of source.bytes) await writer.write(chunk);
    if (source.digest() !== what.sha256) {
      throw new LonghaulError('InvalidInput', `${what.uri} was changed while it was read; start again`);
    }
    await writer.commit();
  } finally {
    await writer.abort();
  }
}
