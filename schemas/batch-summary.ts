import { z } from 'zod';
import { FAILURE_TYPES, isFailureType } from '../batch/failure-types.js';
import { OUTCOMES } from '../batch/outcome.js';
import { countSchema, rowCountsSchema } from './row-counts.js';

/** What the result and the memo of `runBatch` say of the manifest. */
export const batchSummarySchema = z.object({
  batchId: z.string(),
  generation: z.int().min(1).nullable(),
  outcome: z.enum(OUTCOMES),
  rows: rowCountsSchema,
  jobs: countSchema,
  manifest: z.object({ uri: z.string(), sha256: z.string() }).nullable(),
  failure: z
    .object({ type: z.enum(Object.keys(FAILURE_TYPES).filter(isFailureType)), message: z.string() })
    .nullable(),
});
