import { StorageError } from './errors.js';
import { openFileStore } from './file.js';
import type { Store } from './store.js';
import { schemeOf } from './uri.js';

/** Opens the store that a URI (`file:///…`) or an absolute path names; InvalidInput for anything else. */
export function openStore(location: string): Store {
  const scheme = schemeOf(location);
  if (scheme === null || scheme === 'file') return openFileStore(location);
  const message = `${location} can't be used as a store: this version keeps its files in file:// stores only. Set LONGHAUL_STORE to file:///path.`;
  throw new StorageError('InvalidInput', location, message);
}
