import { BATCH_ENDPOINTS } from './mistral/batch-job.js';

/** The paths that each provider answers rows for: what can be known of a provider without its client. */
export const PROVIDER_ENDPOINTS = { mistral: BATCH_ENDPOINTS } as const satisfies Record<
  string,
  readonly string[]
>;
