import { newPace } from './pace.js';

/**
 * How many completed jobs of a workspace already held each row. Cancelled jobs are never added: they did not run out.
 *
 * A job asks as of its own creation (`mark`). Otherwise a job that answers its rows while an equal one completes would
 * see some of them before and some after, depending on who was faster.
 */
export class AttemptLedger {
  /** The sequence numbers of the jobs that held a row; a bare number while there is only one, as there mostly is. */
  readonly #jobs = new Map<number, number | number[]>();
  #completed = 0;

  mark(): number {
    return this.#completed;
  }

  attemptsOf(key: number, mark: number): number {
    const held = this.#jobs.get(key);
    if (held === undefined) return 0;
    const jobs = typeof held === 'number' ? [held] : held;
    return jobs.filter((sequence) => sequence <= mark).length;
  }

  /**
   * Adds one completed job, in steps that let requests be answered in between. It counts from the end on: a job that is
   * created meanwhile does not see a part of it. One call at a time.
   */
  async add(keys: Iterable<number>): Promise<void> {
    const sequence = this.#completed + 1;
    const pace = newPace();
    for (const key of keys) {
      this.#note(key, sequence);
      const pause = pace();
      if (pause !== undefined) await pause;
    }
    this.#completed = sequence;
  }

  /** A job that held a row twice counts once. */
  #note(key: number, sequence: number): void {
    const held = this.#jobs.get(key);
    if (held === undefined) this.#jobs.set(key, sequence);
    else if (typeof held === 'number') {
      if (held !== sequence) this.#jobs.set(key, [held, sequence]);
    } else if (held.at(-1) !== sequence) held.push(sequence);
  }
}
