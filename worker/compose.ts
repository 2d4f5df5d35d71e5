import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BatchError } from '../activities/batch-error.js';
import type { ActivityDeps } from '../activities/deps.js';
import { systemClock } from '../batch/clock.js';
import { UnknownProviderError } from '../providers/known.js';
import { createProvider } from '../providers/registry.js';
import type { BatchProvider } from '../providers/provider.js';
import type { Config } from '../schemas/config.js';
import { openStore } from '../storage/open-store.js';
import { readInputRoots } from './input-roots.js';

/** Where the store is unless `LONGHAUL_STORE` says otherwise. */
function storeUri(config: Pick<Config, 'store' | 'home'>): string {
  return config.store ?? pathToFileURL(join(resolve(config.home), 'store')).href;
}

export interface ComposeOptions {
  readonly userAgent: string;
  /** The worker of an embedded server: it reads inputs also where commands of its home have taken some from. */
  readonly embedded: boolean;
}

/** The activities' dependencies as the environment describes them. */
export function composeDeps(
  config: Config,
  { userAgent, embedded }: ComposeOptions,
): ActivityDeps & { close(): Promise<void> } {
  const home = resolve(config.home);
  const providers = new Map<string, BatchProvider & { close(): Promise<void> }>();
  return {
    store: openStore(storeUri(config)),
    provider: (name) => {
      const known = providers.get(name);
      if (known !== undefined) return known;
      const created = orInvalidInput(() => createProvider(name, { ...config, userAgent }));
      providers.set(name, created);
      return created;
    },
    clock: systemClock,
    scratchDir: join(home, 'scratch'),
    // A cluster's worker may have a home that was an embedded one's: its inputs come from whoever may start a workflow.
    fileRoots: async () => [...config.fileRoots, ...(embedded ? await readInputRoots(home) : [])],
    createSettleMs: config.createSettleMs,
    cancelWaitMs: config.cancelWaitMs,
    close: async () => {
      for (const provider of providers.values()) await provider.close();
    },
  };
}

function orInvalidInput<T>(create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (error instanceof UnknownProviderError) throw new BatchError('InvalidInput', error.message);
    throw error;
  }
}
