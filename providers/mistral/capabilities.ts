import { BATCH_ENDPOINTS } from '../../schemas/mistral/batch-job.js';
import {
  METADATA_KEY_LENGTH,
  METADATA_VALUE_LENGTH,
  TIMEOUT_HOURS,
} from '../../schemas/mistral/create-batch-job.js';
import type { ProviderCapabilities } from '../provider.js';

/**
 * Mistral's limits, from its OpenAPI document and its pages "Batch processing" and "Known limitations"
 * (August 2026).
 */
export const mistralCapabilities: ProviderCapabilities = {
  endpoints: BATCH_ENDPOINTS,
  // The two pages disagree (1,000,000 and 100,000): one is the limit, the other the default.
  maxRowsPerJob: 1_000_000,
  // "512 MB", not said whether MB or MiB: the smaller reading is safe under both.
  maxBytesPerFile: 512_000_000,
  defaultShardRows: 100_000,
  // Half the limit. Memory does not depend on it; what a broken upload repeats does, and so does how many
  // jobs a large input can keep running at once.
  defaultShardBytes: 256_000_000,
  jobTimeoutHours: TIMEOUT_HOURS,
  metadata: { maxKeyLength: METADATA_KEY_LENGTH, maxValueLength: METADATA_VALUE_LENGTH },
};
