import { HeldHome } from './chaos-home.js';
import type { Victim } from './matrix.js';

/**
 * A supervisor takes a server for broken that has ended seven times, each time within a minute of its start, and gives up:
 * rightly, and nothing that a kill at a step is about.
 */
const MOST_SERVER_KILLS = 5;

interface Kept {
  readonly home: HeldHome;
  serverKills: number;
}

/** As many held homes as there are batches at the same time. */
export class HeldHomes {
  readonly #idle: Kept[] = [];

  /** The home of a batch that fails is not used again. */
  async lend<T>(victim: Victim, work: (home: HeldHome) => Promise<T>): Promise<T> {
    const kept = this.#idle.pop() ?? { home: await HeldHome.create(), serverKills: 0 };
    const { home } = kept;
    if (victim === 'server' || victim === 'both') kept.serverKills += 1;
    try {
      const result = await work(home);
      if (kept.serverKills < MOST_SERVER_KILLS) {
        this.#idle.push(kept);
        return result;
      }
      await home.expectCleanEnd();
      await home.remove();
      return result;
    } catch (error) {
      await home.remove();
      throw error;
    }
  }

  /** Each of them ends as clean as a home of one batch, whatever was killed in it. */
  async close(): Promise<void> {
    const homes = this.#idle.splice(0).map(({ home }) => home);
    try {
      await Promise.all(homes.map((home) => home.expectCleanEnd()));
    } finally {
      await Promise.all(homes.map((home) => home.remove()));
    }
  }
}
