import { z } from 'zod';
import { FAILURE_TYPES, isFailureType } from '../batch/failure-types.js';
import type { Manifest } from '../batch/manifest.js';
import { OUTCOMES } from '../batch/outcome.js';
import { BATCH_PHASES } from '../batch/progress.js';
import { addsUp } from '../batch/rows.js';
import { batchIdSchema } from './batch-id.js';
import { countSchema, rowCountsSchema } from './row-counts.js';

const time = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const fileReference = z.object({ uri: z.string(), rows: countSchema, bytes: countSchema, sha256 });

const failureType = z.enum(Object.keys(FAILURE_TYPES).filter(isFailureType));

const job = z.object({
  shard: countSchema,
  round: z.int().min(1),
  jobId: z.string().min(1),
  status: z.string().meta({ description: 'The provider’s own word.' }),
  requests: countSchema,
  succeeded: countSchema,
  failed: countSchema,
  createdAt: time,
  completedAt: time.nullable(),
  duplicate: z
    .literal(true)
    .exactOptional()
    .meta({ description: 'A second job for the same rows, cancelled.' }),
});

/**
 * `manifest.json`, and what `run`, `wait` and `status` print with `--json`: live numbers then, null for what
 * is not known yet.
 */
export const manifestSchema = z
  .object({
    batchId: batchIdSchema,
    generation: z.int().min(1).nullable(),
    outcome: z.enum(OUTCOMES).nullable().meta({ description: 'Null while the batch runs.' }),
    phase: z.enum(BATCH_PHASES),
    provider: z.string().nullable(),
    endpoint: z.string().nullable(),
    model: z.string().nullable(),
    input: z
      .object({
        uri: z.string(),
        rows: countSchema.nullable(),
        bytes: countSchema.nullable(),
        sha256: sha256.nullable(),
      })
      .nullable(),
    rows: rowCountsSchema,
    jobs: z.array(job),
    usage: z
      .record(z.string(), z.number())
      .meta({ description: 'Sums over results.jsonl of each numeric usage field of the provider.' }),
    results: fileReference.nullable(),
    errors: fileReference.nullable(),
    failure: z.object({ type: failureType, message: z.string() }).nullable(),
    startedAt: time,
    finishedAt: time.nullable(),
  })
  .refine((manifest) => manifest.outcome === null || manifest.finishedAt !== null, {
    error: 'has an outcome, so it must say when the batch finished',
    path: ['finishedAt'],
  })
  .refine(isAccounted, { error: 'the classes of rows do not sum up to the total', path: ['rows'] })
  .meta({ title: 'Manifest of a batch' });

/** Live numbers may lack unanswered rows; a manifest that admits an AccountingMismatch is still readable. */
function isAccounted(manifest: Pick<Manifest, 'outcome' | 'rows' | 'failure'>): boolean {
  if (manifest.outcome === null || manifest.failure?.type === 'AccountingMismatch') return true;
  return addsUp(manifest.rows);
}
