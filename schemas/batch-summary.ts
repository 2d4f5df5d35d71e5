import { z } from 'zod';
import { FAILURE_TYPES, isFailureType } from '../batch/failure-types.js';
import { OUTCOMES } from '../batch/outcome.js';

const count = z.int().min(0);

/** What the result and the memo of `runBatch` say of the manifest. */
export const batchSummarySchema = z.object({
  batchId: z.string(),
  generation: z.int().min(1).nullable(),
  outcome: z.enum(OUTCOMES),
  rows: z.object({
    total: count,
    succeeded: count,
    failed: count,
    invalid: count,
    cancelled: count,
    expired: count,
    missing: count,
  }),
  jobs: count,
  manifest: z.object({ uri: z.string(), sha256: z.string() }).nullable(),
  failure: z
    .object({ type: z.enum(Object.keys(FAILURE_TYPES).filter(isFailureType)), message: z.string() })
    .nullable(),
});
