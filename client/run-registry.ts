import { describeBatch } from './batch-description.js';
import { LonghaulError } from './failures.js';
import type { Temporal } from './temporal.js';

/** What a Temporal namespace knows of batches, asked one by one. */
export interface RunRegistry {
  isOpen(batchId: string): Promise<boolean>;
  /** Whether a run of the batch had this id; false as well when the history was deleted since. */
  knowsRun(batchId: string, runId: string): Promise<boolean>;
}

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function runRegistry(temporal: Temporal): RunRegistry {
  const describe = async (batchId: string, runId?: string) => {
    try {
      return await temporal.call(describeBatch(batchId, runId));
    } catch (error) {
      if (error instanceof LonghaulError && error.type === 'UnknownBatch') return null;
      throw error;
    }
  };
  return {
    isOpen: async (batchId) => (await describe(batchId))?.open ?? false,
    // Temporal refuses to look for what can't be a run's id.
    knowsRun: async (batchId, runId) => RUN_ID.test(runId) && (await describe(batchId, runId)) !== null,
  };
}
