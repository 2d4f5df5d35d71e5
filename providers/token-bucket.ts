import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../batch/clock.js';

/** A clock that can also wait; `sleep` rejects with the signal's reason when it is aborted. */
export interface SleepingClock extends Clock {
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const sleepingClock: SleepingClock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/**
 * Keeps one process below a rate of calls. Tokens come back evenly and one second's worth may be spent at
 * once. A caller takes its token at once and waits for it to become true (the balance goes below zero): so
 * callers are served in the order they came, without a queue to look after.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #clock: SleepingClock;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, clock: SleepingClock = sleepingClock) {
    if (!Number.isFinite(perSecond) || perSecond <= 0) {
      throw new RangeError(`requests per second must be a number above 0, not ${perSecond}`);
    }
    this.#perSecond = perSecond;
    this.#capacity = Math.max(1, perSecond);
    this.#clock = clock;
    this.#tokens = this.#capacity;
    this.#at = clock.now();
  }

  /** Resolves when the call may be made. Rejects with the signal's reason; the token is given back then. */
  async take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#refill();
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    try {
      await this.#clock.sleep((-this.#tokens / this.#perSecond) * 1000, signal);
    } catch (error) {
      this.#tokens += 1;
      throw error;
    }
  }

  #refill(): void {
    const now = this.#clock.now();
    // A clock that is set back gives nothing, and takes nothing away.
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.#capacity, this.#tokens + (elapsed / 1000) * this.#perSecond);
  }
}
