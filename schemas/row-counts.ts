import { z } from 'zod';

export const countSchema = z.int().min(0);

/** How the rows of a batch, a shard or a round have ended; `batch/rows.ts` says what must add up. */
export const rowCountsSchema = z.object({
  total: countSchema,
  succeeded: countSchema,
  failed: countSchema,
  invalid: countSchema,
  cancelled: countSchema,
  expired: countSchema,
  missing: countSchema,
});
