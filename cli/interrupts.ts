import { EXIT } from './exit-codes.js';

/** The reason of everything that Ctrl-C ends. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('Interrupted before anything was started; nothing was sent.');
  }
}

/** Ctrl-C: the first one asks, through a signal; the second one does not wait for the answer. */
export class Interrupts {
  readonly #signals: readonly NodeJS.Signals[];
  readonly #controller = new AbortController();
  readonly #listener = (): void => {
    if (this.interrupted) process.exit(EXIT.detached);
    this.#controller.abort(new Interrupted());
  };

  /** Commands that only hold something up take SIGTERM for the same as Ctrl-C. */
  constructor(signals: readonly NodeJS.Signals[] = ['SIGINT']) {
    this.#signals = signals;
    for (const signal of signals) process.on(signal, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get interrupted(): boolean {
    return this.signal.aborted;
  }

  /** Resolves at the first Ctrl-C. */
  get pressed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.interrupted) resolve();
      else this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  stop(): void {
    for (const signal of this.#signals) process.off(signal, this.#listener);
  }
}
