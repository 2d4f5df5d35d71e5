import { z } from 'zod';

/** The seven documented statuses. The list is open on the wire: an unknown word is kept and polled on. */
export const BATCH_JOB_STATUSES = [
  'QUEUED',
  'RUNNING',
  'SUCCESS',
  'FAILED',
  'TIMEOUT_EXCEEDED',
  'CANCELLATION_REQUESTED',
  'CANCELLED',
] as const;

/** The nine endpoints of the published schema, and `/v1/chat/classifications` of the live API. */
export const BATCH_ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/fim/completions',
  '/v1/moderations',
  '/v1/chat/moderations',
  '/v1/ocr',
  '/v1/classifications',
  '/v1/chat/classifications',
  '/v1/conversations',
  '/v1/audio/transcriptions',
] as const;

/** Counters are hints for people: absent, null or absurd ones read as 0 and never cost a job. */
const counter = z
  .int()
  .min(0)
  .nullish()
  .transform((value) => value ?? 0)
  .catch(0);

/** 9999-12-31T23:59:59Z. What is beyond it, microseconds for instance, is no time that a Date or an ISO text holds. */
const LAST_SECOND = 253_402_300_799;

function isTime(value: number): boolean {
  return value >= 0 && value <= LAST_SECOND;
}

/** An absurd number is like none: it must not cost the job that it says nothing of. */
function readTime(instead: number | null): (value: unknown) => unknown {
  return (value) => {
    if (typeof value !== 'number') return value;
    return isTime(value) ? Math.trunc(value) : instead;
  };
}

const optionalTime = z.preprocess(readTime(null), z.int().nullish().catch(null));

/**
 * An absurd one reads as the beginning of 1970, at each reading and by every worker the same, so that of two jobs with
 * one key all keep the same one: the order is by this, then by id. The clock would not do. An old job is polled at the
 * longest interval, nothing else depends on its age.
 */
const creationTime = z.preprocess(readTime(0), z.int());

/**
 * A file id decides whether answers are fetched at all: one of another type must not read as "no file", so
 * it makes the job unreadable instead.
 */
const optionalId = z.string().nullish();

/** One that is neither becomes null, so that it costs none of the others. */
const jobError = z
  .union([
    z.object({ message: z.string().catch(''), count: z.int().min(0).default(1).catch(1) }),
    z.string().transform((message) => ({ message, count: 1 })),
  ])
  .nullable()
  .catch(null);

/**
 * A batch job as the API returns it. Required is only what nothing can be done without: which job, what it
 * is doing, how old it is. The live API says null where the published schema knows no null.
 */
export const batchJobSchema = z.object({
  id: z.string().min(1),
  object: z.string().nullish().catch(null),
  model: z.string().nullish(),
  agent_id: z.string().nullish().catch(null),
  endpoint: z
    .union([z.enum(BATCH_ENDPOINTS), z.string()])
    .nullish()
    .catch(null),
  input_files: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? [])
    .catch([]),
  status: z.union([z.enum(BATCH_JOB_STATUSES), z.string().min(1)]),
  created_at: creationTime,
  started_at: optionalTime,
  completed_at: optionalTime,
  total_requests: counter,
  completed_requests: counter,
  succeeded_requests: counter,
  failed_requests: counter,
  output_file: optionalId,
  error_file: optionalId,
  errors: z
    .array(jobError)
    .nullish()
    .transform((value) => (value ?? []).filter((error) => error !== null))
    .catch([]),
  outputs: z.array(z.record(z.string(), z.unknown())).nullish().catch(null),
  /** By its metadata a job is recognised as ours, so metadata that is no object makes the job unreadable. */
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

export type MistralBatchJob = z.output<typeof batchJobSchema>;
