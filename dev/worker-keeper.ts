import { isDeepStrictEqual } from 'node:util';
import { EmbeddedServerError } from './errors.js';
import { WorkerProcess, type WorkerProcessOptions, type WorkerSpec } from './worker-process.js';

/** A worker that was ready and lived this long was healthy: its death is no sign of a broken set-up. */
const HEALTHY_AFTER_MS = 10_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;
/** So many starts in a row without getting ready are reported to whoever waits. */
const PATIENCE = 3;

export interface WorkerKeeperDeps extends WorkerProcessOptions {
  readonly onSpawn: (pid: number) => void;
  /** It ended without being told to. */
  readonly onExit: (message: string) => void;
  /** A worker is ready again after such an end. */
  readonly onRestart: (pid: number) => void;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Keeps one worker process of the wanted kind alive. Two at a time never run: the old one drains first. */
export class WorkerKeeper {
  readonly #deps: WorkerKeeperDeps;
  #wanted: WorkerSpec | undefined;
  #current: WorkerProcess | undefined;
  #currentIsReady = false;
  #waiters: Waiter[] = [];
  #loop: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(deps: WorkerKeeperDeps) {
    this.#deps = deps;
  }

  get pid(): number | undefined {
    return this.#currentIsReady ? this.#current?.pid : undefined;
  }

  get wanted(): WorkerSpec | undefined {
    return this.#wanted;
  }

  /** Whether another worker than the wanted one is asked for. */
  differs(spec: WorkerSpec): boolean {
    return !isDeepStrictEqual(this.#wanted, spec);
  }

  /**
   * Makes this the worker that runs; returns when it is ready (or a still later one is). Restarts the running one
   * only if it differs. @throws EmbeddedServerError if it doesn't get ready; it is then retried in the background.
   */
  ensure(spec: WorkerSpec): Promise<void> {
    const changed = this.differs(spec);
    // A spec is also the identity of what was asked for: an equal one must not replace it.
    if (changed) this.#wanted = spec;
    else if (this.#currentIsReady) return Promise.resolve();
    const done = new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
    if (changed) {
      // The one that drains is not what was asked for.
      this.#currentIsReady = false;
      void this.#current?.stop();
      this.#wake?.();
    }
    this.#loop ??= this.#run();
    return done;
  }

  async stop(): Promise<void> {
    this.#wanted = undefined;
    this.#wake?.();
    await this.#current?.stop();
    await this.#loop;
    this.#settle((waiter) => waiter.reject(new EmbeddedServerError('The embedded worker was stopped.')));
  }

  async #run(): Promise<void> {
    let failures = 0;
    let afterDeath = false;
    for (let spec = this.#wanted; spec !== undefined; spec = this.#wanted) {
      const worker = new WorkerProcess(spec, this.#deps);
      this.#current = worker;
      if (worker.pid !== undefined) this.#deps.onSpawn(worker.pid);
      void worker.ready.then(() => this.#onReady(worker, afterDeath));
      const end = await worker.ended;
      this.#current = undefined;
      this.#currentIsReady = false;
      // Replaced or stopped on purpose.
      if (this.#wanted !== spec) {
        failures = 0;
        afterDeath = false;
        continue;
      }
      afterDeath = true;
      failures = end.wasReady && end.uptimeMs > HEALTHY_AFTER_MS ? 0 : failures + 1;
      this.#deps.onExit(end.message);
      if (end.named || failures >= PATIENCE) {
        this.#settle((waiter) => waiter.reject(new EmbeddedServerError(`The worker ended: ${end.message}`)));
      }
      await this.#pause(
        failures === 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS),
      );
      if (this.#wanted !== spec) failures = 0;
    }
    this.#loop = undefined;
  }

  #onReady(worker: WorkerProcess, afterDeath: boolean): void {
    if (this.#current !== worker || this.#wanted !== worker.spec || worker.pid === undefined) return;
    this.#currentIsReady = true;
    if (afterDeath) this.#deps.onRestart(worker.pid);
    this.#settle((waiter) => waiter.resolve());
  }

  #settle(settle: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) settle(waiter);
  }

  /** Sleeps, but not on when something else is wanted. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#wake = end;
    });
  }
}
