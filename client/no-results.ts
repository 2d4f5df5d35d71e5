import type { Manifest } from '../batch/manifest.js';
import { isFinished } from '../batch/outcome.js';
import { LonghaulError } from './failures.js';

/** What is to be known of a batch whose end Temporal remembers and whose manifest the store doesn't have. */
export const RESULTS_GONE =
  'Its results are not in the store: `longhaul clean` has removed them, or another store is meant. The same `longhaul run` with this store would buy the batch again.';

/** What is said of a batch that has ended and left no results. */
export function noResults(
  manifest: Pick<Manifest, 'batchId' | 'outcome' | 'results' | 'failure'>,
): LonghaulError {
  const { batchId, outcome, failure } = manifest;
  if (isGone(manifest)) {
    return new LonghaulError('NoResults', `batch ${batchId} ended as ${outcome}. ${RESULTS_GONE}`);
  }
  const how = outcome === 'cancelled' ? 'was cancelled before any row was answered' : 'failed';
  const why = failure === null ? '' : `: ${failure.type}: ${failure.message}`;
  return new LonghaulError('NoResults', `batch ${batchId} ${how} and has no results${why}`);
}

/** A batch does not finish without results: where an account has none, it is not the store's. */
export function isGone({ outcome, results }: Pick<Manifest, 'outcome' | 'results'>): boolean {
  return results === null && outcome !== null && isFinished(outcome);
}
