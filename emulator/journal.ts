import type { RouteName } from './route-names.js';

/** One request as the emulator saw it. `status` is null until an answer has been sent. */
export interface JournalEntry {
  readonly n: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly route: RouteName | null;
  /** First 8 hex digits of the bearer's SHA-256: tells keys apart without revealing one. */
  key: string | null;
  status: number | null;
  effect: Readonly<Record<string, unknown>> | null;
  aborted?: true;
  fault?: string;
}

/** How far a request has to be for a wait to count it. */
type JournalStage = 'received' | 'effect' | 'answered';

export interface JournalFilter {
  readonly route: string;
  readonly stage: JournalStage;
}

interface Waiter {
  readonly filter: JournalFilter;
  readonly count: number;
  readonly finish: (satisfied: boolean) => void;
}

/** A `longhaul dev` may be polled for weeks; the newest entries are the ones anybody asks for. */
const CAPACITY = 100_000;

function matches(entry: JournalEntry, filter: JournalFilter): boolean {
  if (entry.route !== filter.route) return false;
  if (filter.stage === 'effect') return entry.effect !== null;
  if (filter.stage === 'answered') return entry.status !== null;
  return true;
}

/** Every request that reached the emulator, in order of arrival, unfinished ones included. */
export class Journal {
  #entries: JournalEntry[] = [];
  #next = 1;
  readonly #waiters = new Set<Waiter>();

  record(request: Pick<JournalEntry, 'at' | 'method' | 'path' | 'query' | 'route' | 'key'>): JournalEntry {
    const entry: JournalEntry = { n: this.#next, ...request, status: null, effect: null };
    this.#next += 1;
    this.#entries.push(entry);
    if (this.#entries.length > CAPACITY) this.#entries = this.#entries.slice(-CAPACITY / 2);
    this.#wake();
    return entry;
  }

  update(
    entry: JournalEntry,
    change: Partial<Pick<JournalEntry, 'key' | 'status' | 'effect' | 'aborted' | 'fault'>>,
  ): void {
    Object.assign(entry, change);
    this.#wake();
  }

  entries(filter?: JournalFilter): readonly JournalEntry[] {
    return filter === undefined ? this.#entries : this.#entries.filter((entry) => matches(entry, filter));
  }

  /** Resolves to true once `count` requests match the filter, to false after `timeoutMs` or on `clear`. */
  waitFor(filter: JournalFilter, count: number, timeoutMs: number): Promise<boolean> {
    if (this.entries(filter).length >= count) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiter.finish(false), timeoutMs);
      const waiter: Waiter = {
        filter,
        count,
        finish: (satisfied) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(satisfied);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  clear(): void {
    this.#entries = [];
    for (const waiter of this.#waiters) waiter.finish(false);
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (this.entries(waiter.filter).length >= waiter.count) waiter.finish(true);
    }
  }
}
