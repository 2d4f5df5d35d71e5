import type { Manifest } from '../batch/manifest.js';
import { LonghaulError } from './failures.js';
import { noResults } from './no-results.js';

/**
 * What a finished batch has published. The store alone can't tell a batch that goes on from one that ended without a
 * manifest, which is not to be waited for: of that `status` knows.
 * @throws LonghaulError `NotFinished`, `NoResults`, or the failure of a batch that ended without an account
 */
export async function* readPublished<T>(
  read: () => AsyncIterable<T>,
  status: () => Promise<Manifest>,
): AsyncGenerator<T> {
  try {
    yield* read();
    return;
  } catch (error) {
    if (!isNotFinished(error)) throw error;
    const account = await accountUnlessUnknown(status);
    if (account === null || account.outcome === null) throw error;
    if (account.results === null) throw noResults(account);
  }
  // It has ended between the two looks. Nothing was handed out yet: the manifest is asked for first.
  yield* read();
}

/** Null when nobody can say at present: then the store's word stands. */
async function accountUnlessUnknown(status: () => Promise<Manifest>): Promise<Manifest | null> {
  try {
    return await status();
  } catch (error) {
    if (error instanceof LonghaulError && error.type !== 'BatchTerminated') return null;
    throw error;
  }
}

function isNotFinished(error: unknown): boolean {
  return error instanceof LonghaulError && error.type === 'NotFinished';
}
