import { readdirSync } from 'node:fs';
import { expect, vi } from 'vitest';
import type { EmbeddedSession } from '../../dev/embedded.js';
import type { EmulatorOptions } from '../../emulator/index.js';
import { holdHome } from '../support/e2e-embedded.js';
import { E2eHome } from '../support/e2e-home.js';
import { expectNoProcess, processesOfHome } from '../support/e2e-processes.js';
import { fixedPorts } from '../support/fixed-ports.js';
import { expectEmptyTemp } from '../support/temp-folder.js';

/** Long enough for a machine that is busy: within it the emulator has carried out whatever was sent. */
const SETTLE = '8s';

/** A worker that was killed last of all is started anew. */
const REST = { timeout: 90_000, interval: 250 };
/** One of each, whatever was killed before. */
const AT_REST = ['guard', 'server', 'supervisor', 'worker'];

/** A home, an emulator, and what may be left of them when a batch has ended. */
export interface ChaosHome {
  readonly home: E2eHome;
  /** Returns once only those processes run that outlive a batch. */
  readonly atRest: () => Promise<void>;
  /** Neither home nor temp folder have anything of processes that are gone. */
  readonly expectTidy: () => void;
  readonly remove: () => Promise<void>;
}

const EMULATOR: EmulatorOptions = { jobSeconds: 0.3, cancelSeconds: 0.1 };

function createHome(port: number): Promise<E2eHome> {
  return E2eHome.create({
    emulator: { ...EMULATOR, port },
    env: { LONGHAUL_CREATE_SETTLE: SETTLE },
    ownTemp: true,
  });
}

/** Locks, and files that were not finished. */
function expectOwnFiles({ path }: E2eHome, expected: readonly string[]): void {
  const own = readdirSync(path).filter((name) => /\.(?:tmp|lock)$/.test(name));
  expect(own, 'unfinished files and locks of the home').toEqual(expected);
}

/** Of one batch: everything ends with it. */
export async function createLoneHome(): Promise<ChaosHome> {
  const home = await createHome(0);
  return {
    home,
    atRest: () => expectNoProcess(home.path),
    expectTidy: () => {
      expectOwnFiles(home, []);
      expectEmptyTemp(home.temp);
    },
    remove: () => home.remove(),
  };
}

/** Of many batches, one after the other, each with an emulator of its own: worker and server stay between them. */
export class HeldHome implements ChaosHome {
  readonly home: E2eHome;
  readonly #session: EmbeddedSession;
  #temp: readonly string[] | null = null;
  #batches = 0;

  private constructor(home: E2eHome, session: EmbeddedSession) {
    this.home = home;
    this.#session = session;
  }

  static async create(): Promise<HeldHome> {
    const [port = 0] = await fixedPorts(1);
    const home = await createHome(port);
    return new HeldHome(home, await holdHome(home, { need: 'none' }));
  }

  async nextBatchId(): Promise<string> {
    if (this.#batches > 0) await this.home.renewEmulator(EMULATOR);
    this.#batches += 1;
    return `chaos-${this.#batches}`;
  }

  readonly atRest = async (): Promise<void> => {
    await vi.waitFor(() => {
      expect(
        processesOfHome(this.home.path)
          .map(({ role }) => role)
          .toSorted(),
      ).toEqual(AT_REST);
    }, REST);
  };

  readonly expectTidy = (): void => {
    expectOwnFiles(this.home, ['supervisor.lock']);
    const there = readdirSync(this.home.temp, { recursive: true, encoding: 'utf8' }).toSorted();
    this.#temp ??= there;
    expect(there, 'the temp folder').toEqual(this.#temp);
  };

  /** The end of the home: of its processes, too, and of what they had in the temp folder. */
  async expectCleanEnd(): Promise<void> {
    await this.#session.close();
    await expectNoProcess(this.home.path);
    expectOwnFiles(this.home, []);
    expectEmptyTemp(this.home.temp);
  }

  readonly remove = async (): Promise<void> => {
    await this.#session.close();
    await this.home.remove();
  };
}
