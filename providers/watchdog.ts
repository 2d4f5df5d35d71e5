/**
 * Ends a call that takes too long, or that its caller gives up. One per call. Time runs from `restart` to
 * `pause`, and on from `resume`; a transfer restarts it at each step forward, other calls start it once.
 */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expired = false;
  #since = { monotonic: 0, wall: 0 };
  /** What is left of the period, as of the last `restart`, `resume` or `pause`. */
  #leftMs = 0;

  readonly periodMs: number;
  /** Rejects when the call is over for either reason; the request library is slower to notice before it connects. */
  readonly aborted: Promise<never>;

  constructor(periodMs: number, caller?: AbortSignal) {
    this.periodMs = periodMs;
    this.#caller = caller;
    this.aborted = new Promise((_resolve, reject) => {
      this.signal.addEventListener('abort', () => reject(asError(this.signal.reason)), { once: true });
    });
    // Only who races against it is to hear of it.
    this.aborted.catch(() => undefined);
    if (caller?.aborted === true) this.#onCallerAbort();
    else caller?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True when time ran out, not when the caller gave up. */
  get expired(): boolean {
    return this.#expired;
  }

  restart(): void {
    this.#run(this.periodMs);
  }

  resume(): void {
    this.#run(this.#leftMs);
  }

  #run(leftMs: number): void {
    clearTimeout(this.#timer);
    if (this.signal.aborted) return;
    this.#leftMs = leftMs;
    this.#since = { monotonic: performance.now(), wall: Date.now() };
    this.#timer = setTimeout(this.#onExpiry, leftMs);
  }

  /**
   * Expires now if its time has passed and its timer has not run yet: a process that was stopped gets the events of its
   * sockets before those of its timers, and of a suspended machine only the wall clock tells.
   */
  expireIfDue(): boolean {
    if (this.#elapsedMs() >= this.#leftMs && !this.signal.aborted) this.#onExpiry();
    return this.signal.aborted;
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#leftMs = Math.max(0, this.#leftMs - this.#elapsedMs());
  }

  #elapsedMs(): number {
    const { monotonic, wall } = this.#since;
    return Math.max(performance.now() - monotonic, Date.now() - wall);
  }

  /** Lets go of the timer and of the caller's signal, which may live long. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onCallerAbort);
  }

  readonly #onExpiry = (): void => {
    this.#expired = true;
    this.#controller.abort(new Error(`no progress within ${this.periodMs} ms`));
  };

  readonly #onCallerAbort = (): void => {
    clearTimeout(this.#timer);
    this.#controller.abort(this.#caller?.reason);
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
