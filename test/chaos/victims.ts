import { expect, vi } from 'vitest';
import { pidsOf, processesOfHome, sigkill } from '../support/e2e-processes.js';
import type { ChaosBatch } from './chaos-batch.js';
import type { Victim } from './matrix.js';

/** Homes on one machine start their servers one after another. */
const WAIT = { timeout: 150_000, interval: 250 };

/** The processes that a point kills, known beforehand so that no time goes by when the moment is there. */
export class Prey {
  readonly #batch: ChaosBatch;
  readonly #victim: Victim;
  #pids: readonly number[] = [];

  constructor(batch: ChaosBatch, victim: Victim) {
    this.#batch = batch;
    this.#victim = victim;
  }

  /** Returns once worker and server run. */
  async find(): Promise<void> {
    const { path } = this.#batch.home;
    await vi.waitFor(() => {
      const [server, ...servers] = pidsOf(path, 'server');
      const [worker, ...workers] = pidsOf(path, 'worker');
      if (server === undefined || worker === undefined) throw new Error('worker or server do not run yet');
      expect([...servers, ...workers], 'a second worker or server').toEqual([]);
      this.#pids = {
        worker: [worker],
        server: [server],
        both: [server, worker],
        command: [],
        all: processesOfHome(path).flatMap(({ pid, role }) => (role === 'other' ? [] : [pid])),
      }[this.#victim];
    }, WAIT);
  }

  /** SIGSTOP for all of them before SIGKILL for any: none does anything in between. */
  readonly kill = (): void => {
    if (this.#victim === 'command') {
      this.#pids = this.#batch.commands.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    }
    expect(this.#pids.length, `processes to kill: ${this.#victim}`).toBeGreaterThan(0);
    for (const pid of this.#pids) process.kill(pid, 'SIGSTOP');
    for (const pid of this.#pids) expect(sigkill(pid)).toBe(true);
  };

  async gone(): Promise<void> {
    await vi.waitFor(() => {
      const left = new Set(processesOfHome(this.#batch.home.path).map(({ pid }) => pid));
      expect(this.#pids.filter((pid) => left.has(pid))).toEqual([]);
    }, WAIT);
  }
}
