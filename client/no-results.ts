import type { Manifest } from '../batch/manifest.js';
import { LonghaulError } from './failures.js';

/** What is said of a batch that has ended and left no results. */
export function noResults({ batchId, outcome, failure }: Manifest): LonghaulError {
  const how = outcome === 'cancelled' ? 'was cancelled before any row was answered' : 'failed';
  const why = failure === null ? '' : `: ${failure.type}: ${failure.message}`;
  return new LonghaulError('NoResults', `batch ${batchId} ${how} and has no results${why}`);
}
