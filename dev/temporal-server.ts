import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SEARCH_ATTRIBUTES } from '../batch/wire-names.js';
import { EmbeddedServerError, messageOf } from './errors.js';
import { FirstWords, type LastWords } from './first-words.js';
import { NotStartedError, startGuarded, type GuardedProcess, type ProcessEnd } from './guarded-process.js';
import type { Home } from './home.js';
import { beginDatabase, finishDatabase } from './new-database.js';
import { LOOPBACK, claimPorts, type ClaimedPorts, type ServerPorts } from './ports.js';
import { withLock } from './process-lock.js';
import type { RotatingLog } from './rotating-log.js';
import { runtimeFolder } from './runtime-folder.js';
import { isListening, setRetention, temporalEnv, type ServerTools } from './server-tools.js';

export const NAMESPACE = 'default';

const USUAL_PORTS: ServerPorts = { grpc: 7233, ui: 8233 };
const READY_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 5_000;
const START_ATTEMPTS = 3;
const RESTART_DELAYS_MS = [0, 250, 500, 1_000, 2_000, 4_000, 8_000];
/** A server that ran this long was healthy: its death starts the count of restarts anew. */
const HEALTHY_AFTER_MS = 60_000;

export interface TemporalServerDeps {
  readonly home: Home;
  readonly cliPath: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: RotatingLog;
  readonly onProgress: (line: string) => void;
  /** Called with the process id of each server, as soon as it has one. */
  readonly onSpawn: (pid: number) => void;
  readonly onExit: (how: string) => void;
  readonly onRestart: (pid: number) => void;
  /** The server does not come back: nothing can go on. */
  readonly onGiveUp: (error: Error) => void;
}

/** It ended before it was ready. */
class EndedInStart extends EmbeddedServerError {
  readonly end: ProcessEnd;
  readonly portTaken: boolean;

  constructor(end: ProcessEnd, { words, portTaken }: LastWords) {
    super(`Temporal ended while it started (${end.how}):\n${words}`);
    this.end = end;
    this.portTaken = portTaken;
  }
}

/** The dev server of one home: SQLite in the home, loopback only, kept alive on the ports it first got. */
export class TemporalServer {
  readonly #deps: TemporalServerDeps;
  #ports: ClaimedPorts | undefined;
  #process: GuardedProcess | undefined;
  readonly #stopping = new AbortController();
  #starting: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(deps: TemporalServerDeps) {
    this.#deps = deps;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get address(): string {
    return `${LOOPBACK}:${this.#ports?.grpc ?? 0}`;
  }

  get uiUrl(): string {
    return `http://${LOOPBACK}:${this.#ports?.ui ?? 0}`;
  }

  get tools(): ServerTools {
    const { cliPath, env, home } = this.#deps;
    return { cliPath, env: temporalEnv(env, home.folder), address: this.address, namespace: NAMESPACE };
  }

  /** Starts the server and returns when it answers. @throws EmbeddedServerError with the end of its log. */
  async start(): Promise<void> {
    this.#starting = this.#startOnFreePorts();
    await this.#starting;
    this.#keeping = this.#keepAlive();
  }

  /** Returns when the server is gone, whatever it was doing. */
  async stop(): Promise<void> {
    this.#stopping.abort(new EmbeddedServerError('Temporal was stopped while it started.'));
    await this.#process?.stop();
    await Promise.allSettled([this.#starting, this.#keeping]);
    await this.#ports?.release();
  }

  async #startOnFreePorts(): Promise<void> {
    // Two homes that start at the same time must not choose the same free ports: the slower one would find
    // the other's server on them and take it for its own.
    const lock = join(await runtimeFolder(), 'ports.lock');
    await withLock(lock, { signal: this.#stopping.signal }, async () => {
      for (let attempt = 1; ; attempt++) {
        await this.#ports?.release();
        const ports = await claimPorts(USUAL_PORTS);
        this.#ports = ports;
        this.#deps.onProgress(`starting Temporal on ${this.address} (UI ${this.uiUrl})`);
        try {
          return await this.#launch(ports);
        } catch (error) {
          if (!(error instanceof EndedInStart)) throw error;
          // Another program was quicker to take a port that was free a moment ago: one of ours, or of the server's own.
          const { end, portTaken } = error;
          // Whatever else made it leave by itself would do so again.
          if (!end.killed && !portTaken) throw error;
          if (attempt === START_ATTEMPTS) throw end.killed ? this.#keepsBeingKilled(end) : error;
          this.#deps.onProgress(`Temporal ended while it started (${end.how}); starting it again`);
          await this.#pause(RESTART_DELAYS_MS[attempt] ?? 0);
        }
      }
    });
  }

  #keepsBeingKilled({ how }: ProcessEnd): Error {
    return new EmbeddedServerError(
      `Temporal was killed while it started (${how}), ${START_ATTEMPTS} times in a row. See whether this machine is ` +
        `out of memory or stops such programs. Its log: ${this.#deps.home.temporalLog}`,
    );
  }

  async #launch(ports: ServerPorts): Promise<void> {
    const { cliPath, home, log } = this.#deps;
    this.#stopping.signal.throwIfAborted();
    // Whoever answers there would be taken for the server that is about to be started.
    if (await isListening(ports.grpc)) {
      const words = `another program listens on port ${ports.grpc}`;
      throw new EndedInStart({ how: 'before it ran', killed: false }, { words, portTaken: true });
    }
    await beginDatabase(home.database);
    log.forget();
    const said = new FirstWords();
    const started = await startGuarded({
      file: cliPath,
      args: serverArguments(home, ports),
      env: this.tools.env,
      grace: STOP_GRACE_MS,
      onOutput: (text) => {
        said.add(text);
        log.write(text);
      },
    }).catch((error: unknown) => {
      throw error instanceof NotStartedError ? new EndedInStart(error.end, said.before(log.tail)) : error;
    });
    this.#process = started;
    this.#deps.onSpawn(started.pid);
    const ended = started.exited.then((end) => {
      throw new EndedInStart(end, said.before(log.tail));
    });
    const giveUp = new AbortController();
    try {
      await Promise.race([this.#ready(ports, giveUp.signal), ended]);
      await finishDatabase(home.database);
      // Told to stop while there was no process yet that could be stopped.
      this.#stopping.signal.throwIfAborted();
    } catch (error) {
      giveUp.abort();
      await started.stop();
      throw error;
    }
  }

  async #ready(ports: ServerPorts, signal: AbortSignal): Promise<void> {
    const until = Date.now() + READY_TIMEOUT_MS;
    while (!(await isListening(ports.grpc))) {
      if (Date.now() > until) throw this.#notReady('it does not listen');
      await sleep(20, undefined, { signal });
    }
    for (;;) {
      try {
        // Also the health check: it needs the frontend, the persistence and the namespace.
        return await setRetention(this.tools);
      } catch (error) {
        signal.throwIfAborted();
        if (Date.now() > until) throw this.#notReady(messageOf(error));
        await sleep(100, undefined, { signal });
      }
    }
  }

  #notReady(why: string): Error {
    const seconds = READY_TIMEOUT_MS / 1000;
    return new EmbeddedServerError(
      `Temporal is not ready after ${seconds} s: ${why}. Its log: ${this.#deps.home.temporalLog}`,
    );
  }

  async #keepAlive(): Promise<void> {
    const ports = this.#ports;
    let failures = 0;
    let startedAt = Date.now();
    let how = (await this.#process?.exited)?.how;
    while (!this.#stopping.signal.aborted && ports !== undefined) {
      this.#deps.onExit(how ?? 'unknown');
      if (Date.now() - startedAt > HEALTHY_AFTER_MS) failures = 0;
      try {
        const delay = RESTART_DELAYS_MS[failures++];
        if (delay === undefined)
          throw new EmbeddedServerError(`Temporal keeps ending (${how ?? 'unknown'}).`);
        await this.#pause(delay);
        startedAt = Date.now();
        await this.#launch(ports);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        how = messageOf(error);
        if (failures < RESTART_DELAYS_MS.length) continue;
        this.#deps.onGiveUp(error instanceof Error ? error : new Error(how));
        return;
      }
      const current = this.#process;
      if (current !== undefined) this.#deps.onRestart(current.pid);
      how = (await current?.exited)?.how;
    }
  }

  /** Ends with an error when the server is to be stopped. */
  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

function serverArguments(home: Home, ports: ServerPorts): string[] {
  const attributes = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  const listen = ['--ip', LOOPBACK, '--port', String(ports.grpc), '--ui-port', String(ports.ui)];
  const keep = ['--db-filename', home.database, '--namespace', NAMESPACE, '--log-level', 'warn'];
  return ['server', 'start-dev', ...listen, ...keep, ...attributes];
}
