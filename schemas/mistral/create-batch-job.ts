import { z } from 'zod';
import { text } from '../text.js';
import { BATCH_ENDPOINTS } from './batch-job.js';

export const METADATA_KEY_LENGTH = 32;
export const METADATA_VALUE_LENGTH = 512;
export const TIMEOUT_HOURS = { min: 1, max: 168, default: 24 } as const;

/**
 * Body of `POST /v1/batch/jobs`. Strict, because the official client checks none of these limits and the
 * API's answer to a breach is undocumented. Always files, never inline requests: the gateway answers 400
 * with HTML to a few hundred inline rows. One file, because a shard is one file.
 */
export const createBatchJobSchema = z.strictObject({
  endpoint: z.enum(BATCH_ENDPOINTS),
  input_files: z.array(z.string().min(1)).length(1),
  model: z.string().min(1),
  timeout_hours: z.int().min(TIMEOUT_HOURS.min).max(TIMEOUT_HOURS.max),
  metadata: z.record(text(1, METADATA_KEY_LENGTH), text(1, METADATA_VALUE_LENGTH)),
});
