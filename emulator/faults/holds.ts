import type { RouteName } from '../route-names.js';

export type HoldEnd = 'released' | 'aborted';

interface Held {
  readonly route: RouteName;
  readonly finish: (end: HoldEnd) => void;
}

/** Requests that wait for `POST /_emulator/release`. */
export class Holds {
  readonly #held = new Set<Held>();

  /** Waits until released, or until `gone` fires; without `gone` only a release ends the wait. */
  wait(route: RouteName, gone: AbortSignal | null): Promise<HoldEnd> {
    if (gone?.aborted === true) return Promise.resolve('aborted');
    return new Promise((resolve) => {
      const onGone = () => held.finish('aborted');
      const held: Held = {
        route,
        finish: (end) => {
          gone?.removeEventListener('abort', onGone);
          this.#held.delete(held);
          resolve(end);
        },
      };
      this.#held.add(held);
      gone?.addEventListener('abort', onGone);
    });
  }

  /** Releases the held requests, of one route or of all. Returns how many. */
  release(route: RouteName | null): number {
    const chosen = [...this.#held].filter((held) => route === null || held.route === route);
    for (const held of chosen) held.finish('released');
    return chosen.length;
  }

  /** Ends all waits as if the clients had gone: nothing held may take effect any more. */
  drop(): void {
    for (const held of this.#held) held.finish('aborted');
  }

  get size(): number {
    return this.#held.size;
  }
}
