import { Client } from '@temporalio/client';
import type { ConnectionLike } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { dial } from './dial.js';
import { isAborted, toLonghaulError } from './errors.js';
import { LonghaulError } from './failures.js';
import { followed, unlessAborted } from './leaving.js';
import { asError, pause } from './pause.js';
import type { Target } from './target.js';

export interface CallOptions {
  /** How long one call may take, its repetitions by the gRPC layer included. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const CALL_TIMEOUT_MS = 10_000;
/** How long an outage may last for somebody who waits anyway. */
const PATIENCE_MS = 120_000;
const RETRY_PAUSE_MS = 1_000;
const LONG_POLL_MS = 60_000;

/** The connection to Temporal: made at the first call, with a deadline and typed errors for each. */
export class Temporal {
  readonly #target: Target;
  #client: Promise<Client> | null = null;
  #reached = false;
  /** Aborts when this is closed: nobody waits any longer, for an answer or for a server to come back. */
  readonly #closing = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(target: Target) {
    this.#target = target;
  }

  get namespace(): string {
    return this.#target.namespace;
  }

  workflowUrl(workflowId: string): string | null {
    const { uiUrl, namespace } = this.#target;
    if (uiUrl === null) return null;
    return `${uiUrl.replace(/\/+$/, '')}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
  }

  /** What a payload holds that the SDK left as it came. @throws LonghaulError CodecKeyMissing, CodecKeyWrong */
  async read(payload: Payload): Promise<unknown> {
    const [opened = payload] = await this.#target.codec.decode([payload]);
    return defaultPayloadConverter.fromPayload(opened);
  }

  /** @throws LonghaulError, the signal's reason */
  async call<T>(use: (client: Client) => Promise<T>, options: CallOptions = {}): Promise<T> {
    const { timeoutMs = CALL_TIMEOUT_MS } = options;
    const left = followed(this.#closing.signal, options.signal);
    try {
      const client = await unlessAborted(this.#connect(), left.signal);
      const { connection } = client;
      const timed = () => connection.withDeadline(Date.now() + timeoutMs, () => use(client));
      const work = connection.withAbortSignal(left.signal, timed);
      this.#inFlight.add(work);
      const settled = work.finally(() => this.#inFlight.delete(work));
      // Between two of the SDK's attempts nothing hears an abort: while a server is away that lasts for seconds.
      const result = await unlessAborted(settled, left.signal);
      this.#reached = true;
      return result;
    } catch (error) {
      if (isAborted(error, left.signal)) left.signal.throwIfAborted();
      throw toLonghaulError(error, this.#target.address);
    } finally {
      left.stop();
    }
  }

  /** Like `call`, for somebody who waits: a server that was there before may be away for two minutes. */
  async patiently<T>(use: (client: Client) => Promise<T>, options: CallOptions = {}): Promise<T> {
    let since: number | null = null;
    for (;;) {
      try {
        return await this.call(use, options);
      } catch (error) {
        if (!isUnavailable(error) || !this.#reached) throw error;
        this.#closing.signal.throwIfAborted();
        since ??= Date.now();
        if (Date.now() - since >= PATIENCE_MS) throw error;
        await this.#pause(options.signal);
      }
    }
  }

  async #pause(signal: AbortSignal | undefined): Promise<void> {
    const left = followed(this.#closing.signal, signal);
    try {
      await pause(RETRY_PAUSE_MS, left.signal);
    } finally {
      left.stop();
    }
  }

  /**
   * A call that waits at the server; null when nothing happened within a minute. It is broken off long before its
   * deadline: close to one, the server answers at once and the SDK asks again, and again.
   */
  async longPoll<T>(use: (client: Client) => Promise<T>, signal: AbortSignal | undefined): Promise<T | null> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), LONG_POLL_MS);
    const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
    try {
      return await this.call(use, { timeoutMs: 2 * LONG_POLL_MS, signal: either });
    } catch (error) {
      signal?.throwIfAborted();
      if (over.signal.aborted) return null;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Each page of a list is a call of its own, with its own deadline. */
  async *stream<T>(open: (client: Client) => AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = await this.call((client) => Promise.resolve(open(client)[Symbol.asyncIterator]()));
    for (;;) {
      const next = await this.call(() => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new LonghaulError('TemporalUnavailable', 'this client was closed'));
    if (this.#client === null || !this.#target.ownConnection) return;
    const client = await this.#client.catch(() => null);
    const close = async () => client?.connection.close();
    // The SDK repeats a failed call by a timer that nothing stops, and throws out of it once the channel is closed:
    // calls that somebody walked away from come to their end first, and nobody waits for that, or hears of a failure.
    if (this.#inFlight.size === 0) await close();
    else {
      void Promise.allSettled(this.#inFlight)
        .then(close)
        .catch(() => undefined);
    }
  }

  #connect(): Promise<Client> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.reject(asError(signal.reason));
    // A failure is not kept: the server may be there at the next call.
    this.#client ??= this.#open().catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  async #open(): Promise<Client> {
    const { connection: given, namespace, identity, codec } = this.#target;
    const connection = isConnection(given)
      ? given
      : await dial({ ...given, address: this.#target.address }, CALL_TIMEOUT_MS, this.#closing.signal);
    return new Client({
      connection,
      namespace,
      dataConverter: { payloadCodecs: [codec] },
      ...(identity === null ? {} : { identity }),
    });
  }
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof LonghaulError && error.type === 'TemporalUnavailable';
}

function isConnection(value: Target['connection']): value is ConnectionLike {
  return 'workflowService' in value;
}
