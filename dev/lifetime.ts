/** How long a supervisor without a command goes on. */
export interface LifetimeOptions {
  /** Milliseconds that a new supervisor waits for its first command. */
  readonly firstCommand: number;
  /** Milliseconds that a next command has after the last one is gone. */
  readonly grace: number;
  /** Milliseconds between two looks for open batches, in the background. */
  readonly backgroundCheck: number;
  /** Whether a batch is open; asked only in the background. */
  readonly hasOpenBatches: () => Promise<boolean>;
  readonly onEnd: (why: string) => void;
}

/**
 * Decides when the supervisor ends: a few seconds after its last command is gone; after a command detached, only
 * once no batch is open.
 */
export class Lifetime {
  readonly #options: LifetimeOptions;
  readonly #commands = new Set<object>();
  #background = false;
  #timer: NodeJS.Timeout | undefined;
  /** Told apart from an answer of Temporal that was asked for before the latest change. */
  #epoch = 0;

  constructor(options: LifetimeOptions) {
    this.#options = options;
  }

  /** Begins to wait for the first command, unless it was faster. */
  start(): void {
    if (this.#commands.size === 0) this.#schedule(this.#options.firstCommand);
  }

  add(command: object): void {
    this.#commands.add(command);
    this.#cancel();
  }

  remove(command: object): void {
    if (this.#commands.delete(command) && this.#commands.size === 0) this.#scheduleNext();
  }

  /** From now on the last command may leave without ending anything. */
  detach(): void {
    this.#background = true;
  }

  close(): void {
    this.#cancel();
  }

  #scheduleNext(): void {
    this.#schedule(this.#background ? this.#options.backgroundCheck : this.#options.grace);
  }

  #schedule(milliseconds: number): void {
    this.#cancel();
    const epoch = this.#epoch;
    this.#timer = setTimeout(() => void this.#look(epoch), milliseconds);
  }

  #cancel(): void {
    this.#epoch++;
    clearTimeout(this.#timer);
  }

  async #look(epoch: number): Promise<void> {
    if (!this.#background) return this.#options.onEnd('the last command is gone');
    let open = true;
    try {
      open = await this.#options.hasOpenBatches();
    } catch {
      // Not answered: the server is just being restarted, say. Better one look more than a batch abandoned.
    }
    if (epoch !== this.#epoch) return;
    if (open) this.#scheduleNext();
    else this.#options.onEnd('no batch is open any more');
  }
}
