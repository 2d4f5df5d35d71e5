import type { Manifest } from '../batch/manifest.js';
import { isFinished } from '../batch/outcome.js';
import type { Store } from '../storage/store.js';
import { describeBatch } from './batch-description.js';
import { BatchFiles } from './batch-files.js';
import { BatchHandleOverTemporal } from './batch-handle.js';
import { assertBatchId } from './batch-request.js';
import { LonghaulError } from './failures.js';
import { isUnavailable } from './temporal.js';
import type { Temporal } from './temporal.js';
import type { BatchHandle } from './types.js';

/** Finds a batch by the store's manifest or by Temporal. */
export async function attachBatch(
  { temporal, store }: { readonly temporal: Temporal; readonly store: Store },
  batchId: string,
): Promise<BatchHandle> {
  assertBatchId(batchId);
  const files = new BatchFiles(store, batchId);
  const manifest = await files.manifest();
  const isDone = manifest !== null && manifest.outcome !== null && isFinished(manifest.outcome);
  const finished = isDone || !(await isKnown(temporal, files, manifest)) ? manifest : null;
  return new BatchHandleOverTemporal({ temporal, files, attached: true, finished });
}

/** Whether Temporal has a run of the batch; the manifest of an ended one does when Temporal has not, or is away. */
async function isKnown(temporal: Temporal, files: BatchFiles, manifest: Manifest | null): Promise<boolean> {
  try {
    await temporal.call(describeBatch(files.batchId));
    return true;
  } catch (error) {
    if (!(error instanceof LonghaulError)) throw error;
    if (error.type !== 'UnknownBatch' && !isUnavailable(error)) throw error;
    if (manifest !== null) return false;
    if (error.type === 'UnknownBatch') throw await unknown(files);
    throw error;
  }
}

async function unknown(files: BatchFiles): Promise<LonghaulError> {
  const { batchId } = files;
  const message =
    (await files.plan()) === null
      ? `there is no batch ${batchId}, neither in the store nor in Temporal`
      : `batch ${batchId} was begun, and is neither finished nor known to Temporal; run the same command again`;
  return new LonghaulError('UnknownBatch', message);
}
