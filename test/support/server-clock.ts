import type { Clock } from '../../batch/clock.js';

/**
 * The time-skipping server's clock for code that reads time without waiting. The server's time stands still but for
 * real time while an activity runs, so it is enough to ask for it when an activity starts.
 */
export class ServerClock implements Clock {
  readonly #ask: () => Promise<number>;
  #base = 0;
  #at = 0;

  constructor(ask: () => Promise<number>) {
    this.#ask = ask;
  }

  async sync(): Promise<void> {
    this.#base = await this.#ask();
    this.#at = performance.now();
  }

  now(): number {
    return Math.round(this.#base + performance.now() - this.#at);
  }
}
