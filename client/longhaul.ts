import type { SearchAttributeName } from '../batch/wire-names.js';
import { homeStoreUri, readHomeBinding } from '../storage/home-files.js';
import { openStore } from '../storage/open-store.js';
import type { Store } from '../storage/store.js';
import { assertOptions } from './assert-options.js';
import type { OptionKinds } from './assert-options.js';
import { attachBatch } from './attach-batch.js';
import { listBatches } from './batch-list.js';
import { fromStore } from './errors.js';
import { LonghaulError } from './failures.js';
import { TemporalSchedules } from './schedules.js';
import { missingSearchAttributes, registerSearchAttributes } from './setup.js';
import { startBatch } from './start-batch.js';
import { resolveTarget } from './target.js';
import { Temporal } from './temporal.js';
import type {
  BatchHandle,
  BatchListEntry,
  ConnectOptions,
  ListOptions,
  LonghaulClient,
  Schedules,
  StartOptions,
  WorkerCount,
} from './types.js';
import { countWorkers } from './workers.js';

const CONNECT_OPTIONS: OptionKinds = {
  address: 'text',
  namespace: 'text',
  profile: 'text',
  env: 'object',
  home: 'text',
  store: 'text',
  baseUrl: 'text',
  connection: 'object',
  codecKeys: 'text',
  identity: 'text',
  uiUrl: 'text',
};
const DEFAULT_HOME = '.longhaul';
const DEFAULT_BASE_URL = 'https://api.mistral.ai';

/** Longhaul for a backend service: starts batches, follows them, reads their results. */
export class Longhaul implements LonghaulClient {
  readonly schedules: Schedules;
  readonly #temporal: Temporal;
  readonly #store: Store;
  readonly #origin: string;

  private constructor(temporal: Temporal, store: Store, origin: string) {
    this.#temporal = temporal;
    this.#store = store;
    this.#origin = origin;
    this.schedules = new TemporalSchedules(temporal);
  }

  /**
   * Finds out where Temporal and the store are; the connection is made when a call needs it.
   * @throws LonghaulError InvalidInput for a configuration that can't be read
   */
  static async connect(options: ConnectOptions = {}): Promise<Longhaul> {
    assertOptions('connect', options, CONNECT_OPTIONS);
    const home = options.home ?? DEFAULT_HOME;
    try {
      const target = await resolveTarget(options, home);
      // One worker serves all clients of a home: what it works with is what they mean.
      const bound = target.ofHome ? await readHomeBinding(home) : {};
      const store = openStore(options.store ?? bound.storeUri ?? homeStoreUri(home));
      const origin = originOf(options.baseUrl ?? bound.baseUrl ?? DEFAULT_BASE_URL);
      return new Longhaul(new Temporal(target), store, origin);
    } catch (error) {
      throw fromStore(error);
    }
  }

  get namespace(): string {
    return this.#temporal.namespace;
  }

  get storeUri(): string {
    return this.#store.uri;
  }

  start(options: StartOptions): Promise<BatchHandle> {
    return startBatch({ temporal: this.#temporal, store: this.#store, origin: this.#origin }, options);
  }

  attach(batchId: string): Promise<BatchHandle> {
    return attachBatch({ temporal: this.#temporal, store: this.#store }, batchId);
  }

  list(options: ListOptions = {}): AsyncIterable<BatchListEntry> {
    return listBatches(this.#temporal, options);
  }

  setup(): Promise<readonly SearchAttributeName[]> {
    return registerSearchAttributes(this.#temporal);
  }

  missingSearchAttributes(): Promise<readonly SearchAttributeName[]> {
    return missingSearchAttributes(this.#temporal);
  }

  workerCount(): Promise<WorkerCount> {
    return countWorkers(this.#temporal);
  }

  async hasWorkers(): Promise<boolean> {
    const { workflows, provider, transfer } = await this.workerCount();
    return workflows > 0 && provider > 0 && transfer > 0;
  }

  async ping(): Promise<void> {
    const { namespace } = this.#temporal;
    await this.#temporal.call((client) => client.connection.workflowService.describeNamespace({ namespace }));
  }

  close(): Promise<void> {
    return this.#temporal.close();
  }
}

function originOf(baseUrl: string): string {
  if (URL.canParse(baseUrl)) return new URL(baseUrl).origin;
  throw new LonghaulError('InvalidInput', `${JSON.stringify(baseUrl)} is no base URL of a provider`);
}
