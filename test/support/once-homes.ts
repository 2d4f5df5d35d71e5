import { join } from 'node:path';
import type { EmbeddedSession } from '../../dev/embedded.js';
import { holdHome } from './e2e-embedded.js';
import { E2eHome } from './e2e-home.js';
import type { HomeOptions } from './e2e-home.js';
import { ONCE_ROWS } from './e2e-once.js';
import { writeRows } from './e2e-rows.js';
import { fixedPorts } from './fixed-ports.js';

/** What a test gets: a home, an emulator that nobody has asked anything yet, rows in a file, and an id that is free. */
export interface Once {
  readonly home: E2eHome;
  readonly input: string;
  readonly id: string;
}

type LendOptions = Pick<HomeOptions, 'emulator' | 'env'>;

/** A home whose server stays until the next test has it, unless a test ends it. */
interface LentHome {
  readonly home: E2eHome;
  readonly env: string;
  session: EmbeddedSession;
}

/** Homes for the tests of a file, one after the other: a home of its own for each would mostly be a server's start. */
export class OnceHomes {
  readonly #idle: LentHome[] = [];
  #lent = 0;

  /** A home is not used again after a test that failed. */
  async lend(options: LendOptions, work: (once: Once) => Promise<void>): Promise<void> {
    const lent = await this.#take(options);
    const { home } = lent;
    this.#lent += 1;
    const id = `once-${this.#lent}`;
    try {
      const input = await writeRows(join(home.folder, 'questions.jsonl'), ONCE_ROWS);
      await work({ home, input, id });
    } catch (error) {
      await lent.session.close();
      await home.remove();
      throw error;
    }
    this.#idle.push(lent);
  }

  /** What a batch brings when nothing happens to it: the same bytes for every batch id. */
  async undisturbedResults(): Promise<Buffer> {
    let results: Buffer | null = null;
    await this.lend({}, async ({ home, input, id }) => {
      await home.run(input, id).exits(0);
      results = await home.results(id);
    });
    if (results === null) throw new Error('the undisturbed run has no results');
    return results;
  }

  async remove(): Promise<void> {
    for (const { home, session } of this.#idle.splice(0)) {
      await session.close();
      await home.remove();
    }
  }

  async #take({ emulator = {}, env = {} }: LendOptions): Promise<LentHome> {
    const key = JSON.stringify(env);
    const at = this.#idle.findIndex((idle) => idle.env === key);
    const [known] = at === -1 ? [] : this.#idle.splice(at, 1);
    if (known === undefined) {
      const [port = 0] = await fixedPorts(1);
      const home = await E2eHome.create({ env, emulator: { ...emulator, port } });
      return { home, env: key, session: await holdHome(home, { need: 'none' }) };
    }
    await known.home.renewEmulator(emulator);
    // The test before may have ended the server that was held.
    const former = known.session;
    known.session = await holdHome(known.home, { need: 'none' });
    await former.close();
    return known;
  }
}
