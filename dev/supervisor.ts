import { rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { messageOf } from './errors.js';
import { bindingConflict, readHomeBinding, writeHomeBinding, type HomeBinding } from './home-binding.js';
import { removeUnfinished, writeJson, type Home, type ServerFile } from './home.js';
import { Lifetime } from './lifetime.js';
import { ProcessRecords } from './process-records.js';
import type {
  ClientMessage,
  EmbeddedSettings,
  RefusalReason,
  StopCause,
  SupervisorMessage,
  Welcome,
  WorkerNeed,
} from './protocol.js';
import { RotatingLog } from './rotating-log.js';
import { countOpenBatches } from './server-tools.js';
import { serveSession, type SessionSocket } from './session-socket.js';
import { listenForCommands, type SupervisorFile } from './supervisor-socket.js';
import type { SupervisorTiming } from './supervisor-timing.js';
import { NAMESPACE, TemporalServer } from './temporal-server.js';
import { WorkerKeeper } from './worker-keeper.js';
import { inheritedEnv, mergeSettings, workerVariables } from './worker-settings.js';

export interface SupervisorOptions {
  readonly home: Home;
  readonly cliPath: string;
  /** Arguments for `process.execPath` that run the worker. */
  readonly workerEntry: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly timing: SupervisorTiming;
}

/**
 * Owns the Temporal server and the worker process of one home, for the commands that are connected to it. The
 * caller holds the home's lock from before `start` until `ended`.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: RotatingLog;
  readonly #records: ProcessRecords;
  readonly #server: TemporalServer;
  readonly #worker: WorkerKeeper;
  readonly #lifetime: Lifetime;
  readonly #sessions = new Set<SessionSocket>();
  #settings: EmbeddedSettings = {};
  #binding: HomeBinding = {};
  #socket: Server | undefined;
  #serverReady: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  readonly ended: Promise<void>;
  #end: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { home, timing } = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#log = new RotatingLog(home.supervisorLog);
    this.#records = new ProcessRecords(home);
    this.#server = this.#makeServer(inheritedEnv(options.env));
    this.#worker = this.#makeWorker(inheritedEnv(options.env));
    this.#lifetime = new Lifetime({
      ...timing,
      hasOpenBatches: async () => (await countOpenBatches(this.#server.tools)) > 0,
      onEnd: (why) => void this.stop(why, 'unused'),
    });
  }

  async start(): Promise<void> {
    const { home } = this.#options;
    const leftovers = await this.#records.endLeftovers();
    if (leftovers.length > 0) this.#log.line(`ended what a crash left running: ${leftovers.join(', ')}`);
    await removeUnfinished(home);
    this.#binding = await readHomeBinding(home);
    this.#settings = this.#binding;
    const { server, path } = await listenForCommands(home, (socket) => {
      serveSession(socket, {
        onMessage: (message, session) => this.#onMessage(message, session),
        onGone: (session) => {
          this.#sessions.delete(session);
          this.#lifetime.remove(session);
        },
      });
    });
    this.#socket = server;
    const file: SupervisorFile = { pid: process.pid, socket: path };
    await writeJson(home.supervisorFile, file);
    this.#lifetime.start();
    this.#log.line(`supervisor ${process.pid} listens on ${path}`);
  }

  /** Ends the worker, then the server; the commands' sockets close when both are gone. */
  stop(why: string, cause: StopCause): Promise<void> {
    this.#stopping ??= this.#stopAll(why, cause);
    return this.#stopping;
  }

  async #stopAll(why: string, cause: StopCause): Promise<void> {
    const { home } = this.#options;
    this.#log.line(`stopping: ${why}`);
    this.#lifetime.close();
    // Takes the socket's file away too, so that new commands start a new supervisor, which waits for the lock.
    this.#socket?.close();
    this.#broadcast({ type: 'stopping', message: why, cause });
    for (const part of [this.#worker, this.#server]) {
      // Whatever became of the one, the other must not be left running.
      await part.stop().catch((error: unknown) => this.#log.line(`while stopping: ${messageOf(error)}`));
    }
    const files = [home.serverFile, home.supervisorFile, home.processesFile];
    await Promise.allSettled(files.map((file) => rm(file, { force: true })));
    this.#log.line('stopped');
    this.#end();
    for (const session of this.#sessions) session.end();
  }

  #onMessage(message: ClientMessage, session: SessionSocket): void {
    this.#sessions.add(session);
    switch (message.type) {
      case 'hello':
        void this.#onHello(message.need, message.settings, session);
        return;
      case 'detach':
        this.#log.line('a command detached');
        this.#lifetime.detach();
        session.send({ type: 'detached' });
        return;
      case 'stop':
        void this.stop('`longhaul stop` was called', 'asked');
        return;
    }
  }

  async #onHello(need: WorkerNeed, settings: EmbeddedSettings, session: SessionSocket): Promise<void> {
    const refuse = (reason: RefusalReason, message: string): void =>
      session.end({ type: 'refused', reason, message });
    if (this.#stopping !== undefined) return refuse('stopping', 'the server of this home is stopping');
    const conflict = bindingConflict(this.#options.home, this.#binding, settings);
    if (conflict !== undefined) return refuse('conflict', conflict);
    this.#lifetime.add(session);
    session.send({ type: 'accepted', pid: process.pid });
    try {
      if (need === 'full') await this.#bind(settings);
      this.#settings = mergeSettings(this.#settings, settings, need);
      this.#serverReady ??= this.#startServer();
      await this.#serverReady;
      if (need !== 'none') await this.#ensureWorker(need, session);
      session.send(this.#welcome());
    } catch (error) {
      this.#log.line(`refused a command: ${messageOf(error)}`);
      refuse('failed', messageOf(error));
    }
  }

  async #bind(settings: EmbeddedSettings): Promise<void> {
    const before = this.#binding;
    const baseUrl = settings.baseUrl ?? before.baseUrl;
    const storeUri = settings.storeUri ?? before.storeUri;
    if (baseUrl === before.baseUrl && storeUri === before.storeUri) return;
    this.#binding = {
      ...(baseUrl !== undefined && { baseUrl }),
      ...(storeUri !== undefined && { storeUri }),
    };
    await writeHomeBinding(this.#options.home, this.#binding);
  }

  async #startServer(): Promise<void> {
    try {
      await this.#server.start();
    } catch (error) {
      // Every command that waits gets the reason; the next supervisor tries anew.
      setImmediate(() => void this.stop('the server did not start', 'trouble'));
      throw error;
    }
    const file: ServerFile = {
      address: this.#server.address,
      namespace: NAMESPACE,
      uiUrl: this.#server.uiUrl,
    };
    await writeJson(this.#options.home.serverFile, file);
  }

  async #ensureWorker(need: 'full' | 'workflow-only', session: SessionSocket): Promise<void> {
    const { home } = this.#options;
    const env = workerVariables(this.#settings, need, home, this.#server.address);
    const running = this.#worker.wanted;
    // A full worker serves every command; one that runs is never made less.
    const spec = need === 'workflow-only' && running !== undefined ? running : { role: need, env };
    if (this.#worker.differs(spec)) {
      session.send({ type: 'progress', line: running ? 'restarting the worker' : 'starting the worker' });
    }
    try {
      await this.#worker.ensure(spec);
    } catch (error) {
      if (need === 'full') throw error;
      // Looking at a batch is possible without a worker, and most wanted when something is wrong with it.
      session.send({ type: 'progress', line: messageOf(error) });
    }
  }

  #makeServer(env: NodeJS.ProcessEnv): TemporalServer {
    const { home, cliPath } = this.#options;
    return new TemporalServer({
      home,
      cliPath,
      env,
      log: new RotatingLog(home.temporalLog),
      onProgress: (line) => {
        this.#log.line(line);
        this.#broadcast({ type: 'progress', line });
      },
      onSpawn: (pid) => this.#note('server', pid, home.database),
      onExit: (how) => {
        this.#log.line(`Temporal ended: ${how}`);
        this.#broadcast({ type: 'server-exited', message: how });
      },
      onRestart: (pid) => {
        this.#log.line(`Temporal runs again as ${pid}`);
        this.#broadcast({ type: 'server-restarted', pid });
      },
      onGiveUp: (error) => void this.stop(messageOf(error), 'trouble'),
    });
  }

  #makeWorker(baseEnv: NodeJS.ProcessEnv): WorkerKeeper {
    const { home, timing, workerEntry } = this.#options;
    return new WorkerKeeper({
      entry: workerEntry,
      baseEnv,
      log: new RotatingLog(home.workerLog),
      readyTimeoutMs: timing.workerReady,
      drainMs: timing.workerDrain,
      onSpawn: (pid) => this.#note('worker', pid, workerEntry.at(-1) ?? ''),
      onExit: (message) => {
        this.#log.line(`the worker ended: ${message}`);
        this.#broadcast({ type: 'worker-exited', message });
      },
      onRestart: (pid) => {
        this.#log.line(`the worker runs again as ${pid}`);
        this.#broadcast({ type: 'worker-restarted', pid });
      },
    });
  }

  #note(role: 'server' | 'worker', pid: number, mark: string): void {
    try {
      this.#records.note(role, pid, mark);
    } catch (error) {
      // A full disk or a removed home: only a double crash would miss the record, and the process runs already.
      this.#log.line(`can't note the ${role} ${pid}: ${messageOf(error)}`);
    }
  }

  #welcome(): Welcome {
    const { pid: workerPid } = this.#worker;
    const { baseUrl, storeUri } = this.#binding;
    return {
      type: 'welcome',
      address: this.#server.address,
      namespace: NAMESPACE,
      uiUrl: this.#server.uiUrl,
      serverPid: this.#server.pid ?? 0,
      ...(workerPid !== undefined && { workerPid }),
      hasKey: this.#settings.apiKey !== undefined,
      ...(baseUrl !== undefined && { baseUrl }),
      ...(storeUri !== undefined && { storeUri }),
    };
  }

  #broadcast(message: SupervisorMessage): void {
    for (const session of this.#sessions) session.send(message);
  }
}
