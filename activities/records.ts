import { layout } from '../batch/layout.js';
import { planSchema } from '../schemas/records.js';
import type { Plan } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';
import { BatchError } from './batch-error.js';

export function recordText(record: object): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** The plan of a batch that has been prepared. Without it this is another store, or a part of it is gone. */
export async function requirePlan(store: Store, batchId: string): Promise<Plan> {
  const plan = await readRecord(store, layout.plan(batchId), planSchema);
  if (plan === null) {
    throw new BatchError(
      'StorageMismatch',
      `${store.uriOf(layout.plan(batchId))} is gone, or this worker has another store than the one the batch was prepared in. Restore it, or point LONGHAUL_STORE of all workers at one store, and run the same command again`,
    );
  }
  return plan;
}
