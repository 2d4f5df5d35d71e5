import type { Clock } from '../batch/clock.js';
import type { BatchProvider } from '../providers/provider.js';
import type { Store } from '../storage/store.js';

/** What activities work with; made once by the worker's composition root. */
export interface ActivityDeps {
  readonly store: Store;
  /** The provider of that name; throws ProviderError for an unknown one. */
  readonly provider: (name: string) => BatchProvider;
  readonly clock: Clock;
  /** Folder for temporary files. */
  readonly scratchDir: string;
  /** Folders from which `file:` inputs may be read; asked at each prepare, because runs add their own. */
  readonly fileRoots: () => Promise<readonly string[]>;
  readonly createSettleMs: number;
  readonly cancelWaitMs: number;
}
