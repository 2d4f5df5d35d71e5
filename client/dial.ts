import { Connection, isGrpcServiceError } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { explainConnection } from './connection-trouble.js';
import type { ConnectionFacts } from './connection-trouble.js';
import { toLonghaulError } from './errors.js';
import { LonghaulError } from './failures.js';
import { unlessAborted } from './leaving.js';
import { pause } from './pause.js';

/** A server that is there answers sooner; before that nobody asks why it does not. */
const LOOK_AFTER_MS = 500;
const LOOK_TIMEOUT_MS = 3_000;
/** gRPC's codes for a server that can't be reached, and for one too old for the call. */
const UNAVAILABLE = 14;
const UNIMPLEMENTED = 12;

type Dialled = ConnectionOptions & { readonly address: string };

/**
 * Connects to Temporal within a time. The SDK waits for a server that may still come, and never says why none did; so
 * what is no matter of time (certificates, TLS or none) is looked for meanwhile and ends the wait.
 * @throws LonghaulError TemporalUnavailable, TemporalRefused; the signal's reason
 */
export async function dial(options: Dialled, timeoutMs: number, signal: AbortSignal): Promise<Connection> {
  const connection = lazily({ ...options, connectTimeout: timeoutMs });
  const look = new FailureWatch(options);
  const connected = connection.ensureConnected();
  try {
    await unlessAborted(Promise.race([connected, look.wrongSetting]), signal);
    return connection;
  } catch (error) {
    connected.catch(() => undefined);
    await connection.close();
    signal.throwIfAborted();
    const known = toLonghaulError(error, options.address);
    if (known instanceof LonghaulError) throw known;
    const unknown = { reason: known.message, isSetting: false, cause: error };
    throw look.latest?.error ?? unreachable(options.address, unknown);
  } finally {
    look.stop();
  }
}

/** Looks again and again for why a connection does not come about. */
class FailureWatch {
  latest: ConnectionFailure | null = null;
  /** Rejects once it is clear that waiting is in vain; else never. */
  readonly wrongSetting: Promise<never>;
  readonly #over = new AbortController();

  constructor(options: Dialled) {
    this.wrongSetting = this.#watch(options);
  }

  stop(): void {
    this.#over.abort();
  }

  async #watch(options: Dialled): Promise<never> {
    const { signal } = this.#over;
    for (;;) {
      await pause(LOOK_AFTER_MS, signal).catch(() => undefined);
      if (signal.aborted) return new Promise<never>(() => undefined);
      this.latest = (await lookForFailure(options).catch(() => null)) ?? this.latest;
      if (this.latest?.isSetting === true) throw this.latest.error;
    }
  }
}

export interface ConnectionFailure {
  readonly error: LonghaulError;
  /** Waiting won't mend it. */
  readonly isSetting: boolean;
}

/**
 * Why a server can't be used, found out by one call that does not wait for it.
 * Null when it answers, or when nothing could be found out.
 */
export async function lookForFailure(options: Dialled): Promise<ConnectionFailure | null> {
  const { address } = options;
  // A connection of its own: one that is shared with whoever waits is in a pause between two attempts most of the time.
  const channelArgs = { 'grpc.use_local_subchannel_pool': 1 };
  const connection = lazily({ ...options, interceptors: [], channelArgs });
  try {
    const until = Date.now() + LOOK_TIMEOUT_MS;
    await connection.withDeadline(until, () => connection.workflowService.getSystemInfo({}));
    return null;
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code === UNIMPLEMENTED) return null;
    if (error.code !== UNAVAILABLE) {
      const answered = toLonghaulError(error, address);
      const isSetting = answered instanceof LonghaulError && answered.type === 'TemporalRefused';
      return answered instanceof LonghaulError ? { error: answered, isSetting } : null;
    }
    const { reason, isSetting } = explainConnection(error.details, factsOf(options));
    return { error: unreachable(address, { reason, isSetting, cause: error }), isSetting };
  } finally {
    await connection.close();
  }
}

function unreachable(
  address: string,
  {
    reason,
    isSetting,
    cause,
  }: { readonly reason: string; readonly isSetting: boolean; readonly cause: unknown },
): LonghaulError {
  const type = isSetting ? 'TemporalRefused' : 'TemporalUnavailable';
  return new LonghaulError(type, `can't reach Temporal at ${address}: ${reason}`, { cause });
}

function lazily(options: ConnectionOptions): Connection {
  try {
    return Connection.lazy(options);
  } catch (error) {
    // OpenSSL reads certificates and keys here.
    const reason = error instanceof Error ? error.message : String(error);
    throw new LonghaulError('TemporalRefused', `the connection to Temporal can't be set up: ${reason}`, {
      cause: error,
    });
  }
}

function factsOf({ address, tls, apiKey }: Dialled): ConnectionFacts {
  const config = typeof tls === 'object' ? tls : null;
  return {
    address,
    // The SDK speaks TLS when there is an API key, unless it is told not to.
    tls: tls === false ? false : (tls !== null && tls !== undefined) || apiKey !== undefined,
    clientCertificate: config?.clientCertPair !== undefined && config.clientCertPair !== null,
  };
}
