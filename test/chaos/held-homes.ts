import { HeldHome } from './chaos-home.js';

/** As many held homes as there are batches at the same time. */
export class HeldHomes {
  readonly #idle: HeldHome[] = [];

  /** The home of a batch that fails is not used again. */
  async lend<T>(work: (home: HeldHome) => Promise<T>): Promise<T> {
    const home = this.#idle.pop() ?? (await HeldHome.create());
    try {
      const result = await work(home);
      this.#idle.push(home);
      return result;
    } catch (error) {
      await home.remove();
      throw error;
    }
  }

  /** Each of them ends as clean as a home of one batch, whatever was killed in it. */
  async close(): Promise<void> {
    const homes = this.#idle.splice(0);
    try {
      await Promise.all(homes.map((home) => home.expectCleanEnd()));
    } finally {
      await Promise.all(homes.map((home) => home.remove()));
    }
  }
}
