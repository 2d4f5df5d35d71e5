import { z } from 'zod';
import { isFailureType } from '../batch/failure-types.js';
import type { FailureType } from '../batch/failure-types.js';
import { countSchema, rowCountsSchema } from './row-counts.js';

/*
 * The records that a batch keeps of itself in the store. They are read back by later runs and by newer versions:
 * unknown fields are left alone, missing ones are an error.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const failureType = z.custom<FailureType>(isFailureType, 'not a failure type');
const failure = z.object({ type: failureType, message: z.string() });

/** `input/plan.json`: once written, law for this batch id. It holds no times: equal inputs give equal bytes. */
export const planSchema = z.object({
  version: z.literal(1),
  batchId: z.string(),
  fingerprint: sha256,
  /** Id in the `store.json` of the store that the shards lie in. */
  storeId: z.string(),
  provider: z.string(),
  endpoint: z.string(),
  model: z.string(),
  jobTimeoutMs: countSchema,
  input: z.object({ uri: z.string(), rows: countSchema, bytes: countSchema, sha256 }),
  invalid: countSchema,
  sharding: z.object({ maxRows: z.int().min(1), maxBytes: z.int().min(1) }),
  shards: z.array(z.object({ rows: countSchema, bytes: countSchema, sha256 })),
});
export type Plan = z.infer<typeof planSchema>;

/** `intent-<n>.json`: a POST is about to be sent, or never will be. */
export const intentSchema = z.object({
  n: z.int().min(1),
  key: sha256,
  /** Unix milliseconds. */
  sendingAt: z.number(),
  timeoutMs: z.number(),
  /** No POST follows: the run named here will create no job in this round any more. */
  closes: z.string().optional(),
  /** Closed without a list, as far as this attempt came: what an earlier create has made is not known. */
  unlisted: z.literal(true).optional(),
});
export type IntentRecord = z.infer<typeof intentSchema>;

/** `refused-<n>.json`: that POST has definitely made no job. Readable by its owner only: excerpts may echo rows. */
export const refusedSchema = z.object({
  n: z.int().min(1),
  key: sha256,
  type: failureType,
  status: z.number().nullable(),
  message: z.string(),
  excerpt: z.string().nullable(),
});
export type RefusedRecord = z.infer<typeof refusedSchema>;

/** `job.json`: the job of this round. */
export const jobRecordSchema = z.object({
  key: sha256,
  jobId: z.string().min(1),
  /** Unix milliseconds, by the provider. */
  createdAt: z.number(),
  inputFiles: z.array(z.string()),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;

const jobAccount = z.object({
  shard: countSchema,
  round: z.int().min(1),
  jobId: z.string(),
  status: z.string(),
  requests: countSchema,
  succeeded: countSchema,
  failed: countSchema,
  createdAt: z.string(),
  completedAt: z.string().nullable(),
  duplicate: z.literal(true).optional(),
});

/** `account.json`: closes a round. */
export const roundAccountSchema = z.object({
  shard: countSchema,
  round: z.int().min(1),
  key: sha256,
  rows: rowCountsSchema,
  answered: countSchema,
  takes: rowCountsSchema,
  retryable: countSchema,
  quota: z.boolean(),
  failure: failure.nullable(),
  answers: z.object({ bytes: countSchema, sha256 }),
  /** The job's own summary of what went wrong; may echo rows, so it stays in the store. */
  jobErrors: z.array(z.object({ message: z.string(), count: z.number() })),
  job: jobAccount,
  duplicates: z.array(jobAccount),
  files: z.object({ input: z.array(z.string()), output: z.array(z.string()) }),
});
export type RoundAccountRecord = z.infer<typeof roundAccountSchema>;

/** A line of `input/invalid.jsonl`. */
export const invalidRowSchema = z.object({
  position: countSchema,
  line: z.int().min(1),
  reason: z.string(),
  customId: z.string().nullable(),
});
export type InvalidRowRecord = z.infer<typeof invalidRowSchema>;
