import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The demo was told to end: by Ctrl-C, by its caller, or as nobody reads any more what it says. */
export class EndedBySignal extends Error {
  constructor(signal) {
    super(signal);
    this.signal = signal;
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** What has to be ended, whatever ends the demo: last in, first out. */
export class Endings {
  #steps = [];
  #controller = new AbortController();

  constructor() {
    const interrupt = (reason) => this.#controller.abort(reason);
    // Again and again: a second Ctrl-C must not cut the clean-up short and leave a server behind.
    for (const signal of SIGNALS) process.on(signal, () => interrupt(new EndedBySignal(signal)));
    // `npm run demo | head`
    process.stdout.on('error', (error) =>
      interrupt(error.code === 'EPIPE' ? new EndedBySignal('SIGPIPE') : error),
    );
    process.on('uncaughtException', interrupt);
  }

  /** Aborts when the work is not to go on. */
  get signal() {
    return this.#controller.signal;
  }

  add(step) {
    this.#steps.push(step);
  }

  /** The work's outcome, or a rejection as soon as something interrupts it. */
  unlessInterrupted(work) {
    const { signal } = this;
    return Promise.race([
      work,
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      ),
    ]);
  }

  async run() {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        // One that fails must not keep the others from running.
        console.error(`While cleaning up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
