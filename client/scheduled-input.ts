import { PROVIDER_ENDPOINTS } from '../schemas/provider-endpoints.js';
import type { ParsedRunBatchInput } from '../schemas/run-batch-input.js';
import { toRunBatchInput } from './batch-request.js';
import { LonghaulError } from './failures.js';
import type { BatchOptions } from './types.js';

/**
 * The argument of each batch of a schedule. Whoever starts one batch hears at once that a worker refuses it; a schedule
 * would fail unseen, so what can be known here is. Not whether the input is there: workers may see other disks, and later.
 * @throws LonghaulError InvalidInput
 */
export function scheduledInput(batch: BatchOptions): ParsedRunBatchInput {
  if (batch.input === '-') throw invalid('a schedule reads its input at each run, so it can’t be stdin');
  const input = toRunBatchInput(batch);
  const { provider, endpoint } = input;
  const endpoints = endpointsOf(provider);
  if (endpoints === null) {
    const known = Object.keys(PROVIDER_ENDPOINTS).join(', ');
    throw invalid(`there is no provider ${JSON.stringify(provider)}; known are: ${known}`);
  }
  if (!endpoints.includes(endpoint)) {
    throw invalid(`endpoint ${endpoint} is unknown to ${provider}; it has ${endpoints.join(', ')}`);
  }
  return input;
}

function endpointsOf(provider: string): readonly string[] | null {
  const found = Object.entries(PROVIDER_ENDPOINTS).find(([name]) => name === provider);
  return found?.[1] ?? null;
}

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidInput', message);
}
