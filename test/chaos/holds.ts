import { vi } from 'vitest';
import type { E2eEmulator, EmulatorJob } from '../support/e2e-emulator.js';
import { CHANGING } from './matrix.js';
import type { Fate, RequestPlace, Subject } from './matrix.js';

/** The keys of the first shard's jobs, by round: an undisturbed run of the same batch has the same ones. */
export type Keys = ReadonlyMap<number, string>;

/** A rule's share that says which requests it strikes, and the list of jobs it has to wait behind to know that. */
interface Aim {
  readonly rule: object;
  readonly gate: Gate | null;
}

/** A request that is held until a rule with what it makes known is set: nothing can slip by. */
interface Gate {
  readonly rule: object;
  /** What is known while the gate is held. */
  readonly rest: (job: EmulatorJob | undefined) => object;
}

const WAIT = { timeout: 90_000, interval: 100 };
const LASTING_S = 8;

/** Has the emulator hold the request of this place, and returns when one is held. */
export class Hold {
  readonly #emulator: E2eEmulator;
  readonly #place: RequestPlace;
  readonly #keys: Keys;

  constructor(emulator: E2eEmulator, place: RequestPlace, keys: Keys) {
    this.#emulator = emulator;
    this.#place = place;
    this.#keys = keys;
  }

  /** Before the batch is started. */
  async arm(): Promise<void> {
    const { rule, gate } = this.#aim();
    const { subject } = this.#place;
    if (subject.kind === 'job') await this.#emulator.setFaults(this.#lasting(subject.round));
    await this.#emulator.setFaults(gate === null ? this.#holding(rule) : holding(gate.rule, 'dropped'));
  }

  /** Returns once the request is held, before or after its effect. */
  async reached(): Promise<void> {
    const { gate } = this.#aim();
    if (gate !== null) {
      await this.#held(1);
      const job = (await this.#emulator.jobs()).find(({ metadata }) => {
        const { subject } = this.#place;
        return 'round' in subject && metadata?.['longhaul_key'] === this.#key(subject.round);
      });
      await this.#emulator.setFaults(this.#holding(gate.rest(job)));
      await this.#release(1);
    }
    await this.#held(gate === null ? 1 : 2);
  }

  /** The sender is dead or goes on: lets the request go on, too. */
  async letGo(senderIsDead: boolean): Promise<void> {
    if (this.#place.fate === 'carried out' || !senderIsDead) await this.#release(1);
    // The emulator has noticed by itself that nobody waits any more.
    else await vi.waitFor(async () => (await this.#entries()).at(-1)?.aborted ?? fail('still held'), WAIT);
  }

  /** A job that has ended when it is first listed is not polled: on a slow machine the usual ones may. */
  #lasting(round: number): object {
    const fault = { type: 'jobSeconds', seconds: LASTING_S };
    return { route: 'createJob', match: this.#match('createJob', round), fault };
  }

  #holding(rule: object): object {
    return holding({ route: this.#place.route, ...rule }, this.#place.fate);
  }

  async #entries() {
    return (await this.#emulator.journal()).filter(({ fault }) => fault?.includes('hold'));
  }

  /** So many holds have been reached; one after the effect only once there is an effect, or an answer to a read. */
  async #held(count: number): Promise<void> {
    await vi.waitFor(async () => {
      const entry = (await this.#entries())[count - 1];
      if (entry === undefined) throw new Error(`no request is held: ${JSON.stringify(this.#place)}`);
      const changes = CHANGING.has(this.#place.route);
      const isAfter = changes && entry.route === this.#place.route && this.#place.fate === 'answer lost';
      if (isAfter && entry.effect === null) throw new Error('no effect yet');
    }, WAIT);
  }

  /** Until something was let go: a request shows in the journal a moment before it is held. */
  async #release(least: number): Promise<void> {
    await vi.waitFor(async () => {
      if ((await this.#emulator.release()) < least) throw new Error('nothing to release yet');
    }, WAIT);
  }

  #key(round: number): string {
    return this.#keys.get(round) ?? fail(`no key of round ${round}`);
  }

  #aim(): Aim {
    const { subject, route } = this.#place;
    switch (subject.kind) {
      case 'first':
        return { rule: { nth: 1 }, gate: null };
      case 'key':
        return { rule: { nth: subject.nth, match: this.#match(route, subject.round) }, gate: null };
      case 'upload':
        return {
          rule: {},
          gate: {
            rule: { route: 'listFiles', nth: 1, match: { queryIncludes: this.#key(subject.round) } },
            rest: () => ({ nth: 1 }),
          },
        };
      case 'job':
        return { rule: {}, gate: this.#listGate(subject, 3, (job) => job.id) };
      case 'output':
        return { rule: {}, gate: this.#listGate(subject, 4, (job) => job.output_file) };
      case 'errors':
        return { rule: {}, gate: this.#listGate(subject, 4, (job) => job.error_file) };
    }
  }

  #match(route: RequestPlace['route'], round: number): object {
    const key = this.#key(round);
    return route === 'createJob' ? { metadata: { longhaul_key: key } } : { queryIncludes: key };
  }

  /** The list after the create, or the one at the job's end: by then the job, or its files, have ids. */
  #listGate(
    { round }: Subject & { readonly round: number },
    nth: number,
    idOf: (job: EmulatorJob) => string | null,
  ): Gate {
    return {
      rule: { route: 'listJobs', nth, match: { queryIncludes: this.#key(round) } },
      rest: (job) => {
        const id = job === undefined ? null : idOf(job);
        return { nth: 1, match: { pathIncludes: id ?? fail(`the job of round ${round} has none`) } };
      },
    };
  }
}

function holding(rule: object, fate: Fate): object {
  const fault =
    fate === 'answer lost'
      ? { type: 'hold', when: 'after' }
      : { type: 'hold', when: 'before', ifAborted: fate === 'dropped' ? 'drop' : 'proceed' };
  return { ...rule, fault };
}

function fail(message: string): never {
  throw new Error(message);
}
