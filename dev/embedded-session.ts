import type { Socket } from 'node:net';
import { EmbeddedServerError, HomeConflictError, SupervisorVersionError } from './errors.js';
import { readJsonLines } from './json-lines.js';
import {
  encode,
  parseSupervisorMessage,
  speaksOurVersion,
  type ClientMessage,
  type EmbeddedEvent,
  type RefusalReason,
  type SupervisorMessage,
  type Welcome,
} from './protocol.js';

/** `lost`: the supervisor is gone; connect again to go on. It follows `stopping`, or comes alone after a crash. */
export type SessionEvent = EmbeddedEvent | { readonly type: 'lost'; readonly message: string };

/** A command's hold on the embedded server: as long as it is open, server and worker stay. */
export interface EmbeddedSession {
  /** `host:port` of Temporal's frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
  /** What the home is bound to: the defaults for a command without an opinion. */
  readonly baseUrl: string | undefined;
  readonly storeUri: string | undefined;
  readonly supervisorPid: number;
  readonly serverPid: number;
  /** Undefined while no worker is ready. */
  readonly workerPid: number | undefined;
  /** Whether a full worker needs no key from this command. */
  readonly hasKey: boolean;
  /** Returns a function that ends the subscription. */
  onEvent(listener: (event: SessionEvent) => void): () => void;
  /** From now on server and worker go on without a command until no batch is open. Returns once that is noted. */
  detach(): Promise<void>;
  /** Lets go; without a detach, server and worker stop a few seconds after the last command did. */
  close(): Promise<void>;
}

/** The supervisor is just stopping, or was killed: connect again. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

export interface OpenSessionOptions {
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Says hello on a fresh connection and waits until server and worker are as asked for.
 * @throws TryAgain, HomeConflictError, SupervisorVersionError, EmbeddedServerError, the signal's reason.
 */
export async function openSession(
  socket: Socket,
  hello: ClientMessage,
  options: OpenSessionOptions,
): Promise<EmbeddedSession> {
  const connection = new Connection(socket);
  const { supervisorPid, welcome } = await connection.greet(hello, options);
  return new Session(connection, supervisorPid, welcome);
}

/** The messages of one socket, handed to whoever listens at the time. */
class Connection {
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #listeners = new Set<(message: SupervisorMessage) => void>();
  #otherVersion = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.gone = new Promise((resolve) => socket.once('close', () => resolve()));
    readJsonLines(socket, (value) => {
      this.#otherVersion ||= !speaksOurVersion(value);
      if (this.#otherVersion) return void socket.destroy();
      const message = parseSupervisorMessage(value);
      // A message that is not known here changes nothing here.
      if (message !== undefined) for (const listener of this.#listeners) listener(message);
    });
  }

  send(message: ClientMessage): void {
    this.#socket.write(encode(message));
  }

  listen(listener: (message: SupervisorMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A command that is done must end even if it forgot to close its session. */
  set holdsProcess(holds: boolean) {
    if (holds) this.#socket.ref();
    else this.#socket.unref();
  }

  end(): void {
    this.#socket.end();
  }

  async greet(
    hello: ClientMessage,
    options: OpenSessionOptions,
  ): Promise<{ supervisorPid: number; welcome: Welcome }> {
    const { signal } = options;
    let supervisorPid = 0;
    let cleanUp = (): void => undefined;
    try {
      const welcome = await new Promise<Welcome>((resolve, reject) => {
        const abort = (): void => reject(abortReason(signal));
        const silent = setTimeout(() => {
          reject(
            new EmbeddedServerError('The supervisor of this home does not answer. Try `longhaul stop`.'),
          );
        }, ANSWER_TIMEOUT_MS);
        const unlisten = this.listen((message) => {
          if (message.type === 'accepted') {
            clearTimeout(silent);
            supervisorPid = message.pid;
          } else if (message.type === 'progress') options.onProgress(message.line);
          else if (message.type === 'refused') reject(refusal(message.reason, message.message));
          else if (message.type === 'welcome') resolve(message);
        });
        cleanUp = () => {
          clearTimeout(silent);
          unlisten();
          signal?.removeEventListener('abort', abort);
        };
        void this.gone.then(() =>
          reject(this.#otherVersion ? refusal('version', '') : new TryAgain('closed')),
        );
        if (signal?.aborted === true) abort();
        else signal?.addEventListener('abort', abort);
        this.send(hello);
      });
      return { supervisorPid, welcome };
    } catch (error) {
      this.#socket.destroy();
      throw error;
    } finally {
      cleanUp();
    }
  }
}

class Session implements EmbeddedSession {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
  readonly baseUrl: string | undefined;
  readonly storeUri: string | undefined;
  readonly supervisorPid: number;
  serverPid: number;
  workerPid: number | undefined;
  readonly hasKey: boolean;
  readonly #connection: Connection;
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  #closing = false;

  constructor(connection: Connection, supervisorPid: number, welcome: Welcome) {
    this.#connection = connection;
    this.address = welcome.address;
    this.namespace = welcome.namespace;
    this.uiUrl = welcome.uiUrl;
    this.baseUrl = welcome.baseUrl;
    this.storeUri = welcome.storeUri;
    this.supervisorPid = supervisorPid;
    this.serverPid = welcome.serverPid;
    this.workerPid = welcome.workerPid;
    this.hasKey = welcome.hasKey;
    connection.holdsProcess = false;
    connection.listen((message) => this.#onMessage(message));
    void connection.gone.then(() => {
      if (!this.#closing) this.#tell({ type: 'lost', message: 'the supervisor of this home is gone' });
    });
  }

  onEvent(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async detach(): Promise<void> {
    this.#connection.holdsProcess = true;
    let unlisten = (): void => undefined;
    const noted = new Promise<void>((resolve) => {
      unlisten = this.#connection.listen((message) => {
        if (message.type === 'detached') resolve();
      });
    });
    const lost = this.#connection.gone.then(() => {
      throw new EmbeddedServerError('The supervisor of this home is gone; nothing runs in the background.');
    });
    this.#connection.send({ type: 'detach' });
    try {
      await Promise.race([noted, lost]);
    } finally {
      unlisten();
      this.#connection.holdsProcess = false;
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#connection.holdsProcess = true;
    this.#connection.end();
    await this.#connection.gone;
  }

  #onMessage(message: SupervisorMessage): void {
    switch (message.type) {
      case 'worker-exited':
        this.workerPid = undefined;
        break;
      case 'worker-restarted':
        this.workerPid = message.pid;
        break;
      case 'server-restarted':
        this.serverPid = message.pid;
        break;
      case 'server-exited':
      case 'stopping':
        break;
      default:
        // Answers to what this or the greeting asked for.
        return;
    }
    this.#tell(message);
  }

  #tell(event: SessionEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function refusal(reason: RefusalReason, message: string): Error {
  switch (reason) {
    case 'stopping':
      return new TryAgain(message);
    case 'conflict':
      return new HomeConflictError(message);
    case 'failed':
      return new EmbeddedServerError(message);
    case 'version':
      return new SupervisorVersionError(
        'The server of this home was started by another version of Longhaul. Call `longhaul stop`, then try again.',
      );
  }
}

function abortReason(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('aborted');
}
