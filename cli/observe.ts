import type { BatchProgress } from '../batch/progress.js';
import type { BatchHandle } from '../client/types.js';

const PATIENCE_MS = 10_000;

/** Whether a batch soon looks as it should: control goes by signal, which returns before anything has come of it. */
export async function observe(
  handle: BatchHandle,
  isSo: (progress: BatchProgress) => boolean,
): Promise<boolean> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    for await (const progress of handle.progress({ signal, intervalMs: 200 })) {
      if (progress.phase === 'done' || isSo(progress)) return true;
    }
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
