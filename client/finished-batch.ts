import { openStore } from '../storage/open-store.js';
import { BatchFiles } from './batch-files.js';
import { BatchHandleOverTemporal } from './batch-handle.js';
import { assertBatchId } from './batch-request.js';
import { fromStore } from './errors.js';
import { findFinished, identify } from './start-batch.js';
import { createPayloadCodec } from './payload-codec.js';
import { Temporal } from './temporal.js';
import type { BatchHandle, StartOptions } from './types.js';

/*
 * Batches as the store alone knows them, for callers that would have to start a server first and don't want to do that
 * for what is finished.
 */

/** What `start` would return at once, or null. Throws FingerprintMismatch when the id belongs to another batch. */
export async function findFinishedBatch(
  place: { readonly store: string; readonly baseUrl: string },
  options: StartOptions,
): Promise<BatchHandle | null> {
  const request = await identify({ origin: new URL(place.baseUrl).origin }, options);
  const files = filesOf(place.store, request.batchId);
  const finished = await findFinished(files, request);
  return finished === null
    ? null
    : new BatchHandleOverTemporal({ temporal: nowhere(), files, attached: true, finished });
}

/** The batch by its manifest, whatever its outcome; null without one. */
export async function findStoredBatch(store: string, batchId: string): Promise<BatchHandle | null> {
  assertBatchId(batchId);
  const files = filesOf(store, batchId);
  const finished = await files.manifest();
  return finished === null
    ? null
    : new BatchHandleOverTemporal({ temporal: nowhere(), files, attached: true, finished });
}

/** How the batch was cut into shards when it was planned; null before that. */
export async function plannedSharding(
  store: string,
  batchId: string,
): Promise<{ readonly maxRows: number; readonly maxBytes: number } | null> {
  return (await filesOf(store, batchId).plan())?.sharding ?? null;
}

/** Whether the batch has a plan: it was begun with this store. */
export async function isBegun(store: string, batchId: string): Promise<boolean> {
  return (await filesOf(store, batchId).plan()) !== null;
}

function filesOf(store: string, batchId: string): BatchFiles {
  try {
    return new BatchFiles(openStore(store), batchId);
  } catch (error) {
    throw fromStore(error);
  }
}

/** A handle of a finished batch never asks Temporal. */
function nowhere(): Temporal {
  return new Temporal({
    address: 'nowhere',
    namespace: 'default',
    uiUrl: null,
    identity: null,
    connection: {},
    ownConnection: true,
    ofHome: false,
    codec: createPayloadCodec(''),
  });
}
