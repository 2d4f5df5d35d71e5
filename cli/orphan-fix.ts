import { ProviderError } from '../providers/errors.js';
import type { BatchProvider } from '../providers/provider.js';
import type { RunRegistry } from '../client/run-registry.js';
import type { Store } from '../storage/store.js';
import { isOnRecord } from './orphan-ledger.js';
import type { OrphanFile, OrphanJob } from './orphan-search.js';

/** What came of an orphan: nothing was asked for or allowed, it was done, or the provider said no. */
export type OrphanEnd =
  | { readonly kind: 'left' }
  | { readonly kind: 'done' }
  | { readonly kind: 'kept-open' }
  | { readonly kind: 'kept-recorded' }
  | { readonly kind: 'failed'; readonly message: string };

export interface FixOptions {
  readonly provider: BatchProvider;
  readonly runs: RunRegistry;
  readonly store: Store;
  /** False: everything is looked at and counted, nothing is touched. */
  readonly acts: boolean;
}

/** Cancels orphan jobs and deletes orphan files, one by one, and counts. */
export class OrphanFix {
  readonly acts: boolean;
  seen = 0;
  /** Done, or to be done. */
  cancels = 0;
  deletes = 0;
  failures = 0;
  readonly #options: FixOptions;

  constructor(options: FixOptions) {
    this.#options = options;
    this.acts = options.acts;
  }

  async job({ action, batchId, jobId }: OrphanJob): Promise<OrphanEnd> {
    this.seen += 1;
    if (action !== 'cancel') return { kind: 'left' };
    const end = await this.#act(batchId, jobId, () => this.#options.provider.cancelJob(jobId, {}));
    if (end.kind === 'done' || end.kind === 'left') this.cancels += 1;
    return end;
  }

  async file({ action, batchId, fileId }: OrphanFile): Promise<OrphanEnd> {
    this.seen += 1;
    if (action !== 'delete') return { kind: 'left' };
    const end = await this.#act(batchId, fileId, () => this.#options.provider.deleteFile(fileId, {}));
    if (end.kind === 'done' || end.kind === 'left') this.deletes += 1;
    return end;
  }

  async #act(batchId: string | null, id: string, call: () => Promise<unknown>): Promise<OrphanEnd> {
    if (!this.acts) return { kind: 'left' };
    const { runs, store } = this.#options;
    // Somebody may have started the batch since the store was read, and it adopts what it finds; in this order, since it may
    // have ended again as well.
    if (batchId !== null && (await runs.isOpen(batchId))) return { kind: 'kept-open' };
    if (batchId !== null && (await isOnRecord(store, batchId, id))) return { kind: 'kept-recorded' };
    try {
      await call();
      return { kind: 'done' };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      this.failures += 1;
      return { kind: 'failed', message: error.message };
    }
  }
}
