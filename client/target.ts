import type { ConnectionLike, ConnectionOptions } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { readServerFile } from '../storage/home-files.js';
import { configTrouble, unsendable } from './config-trouble.js';
import { LonghaulError } from './failures.js';
import { createPayloadCodec } from './payload-codec.js';
import type { ConnectOptions } from './types.js';

/** Which Temporal a client talks to. */
export interface Target {
  /** For messages. */
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | null;
  readonly identity: string | null;
  /** The caller's own, or how to make one. */
  readonly connection: ConnectionLike | ConnectionOptions;
  readonly ownConnection: boolean;
  /** It is the server that the home's `server.json` names. */
  readonly ofHome: boolean;
  readonly codec: PayloadCodec;
}

const DEFAULT_ADDRESS = '127.0.0.1:7233';
const DEFAULT_NAMESPACE = 'default';

/** What the caller says, else what is configured for Temporal, else the embedded server of the home. */
export async function resolveTarget(options: ConnectOptions, home: string): Promise<Target> {
  const codec = createPayloadCodec(options.codecKeys ?? '');
  return { ...(await resolvePlace(options, home)), codec };
}

async function resolvePlace(options: ConnectOptions, home: string): Promise<Omit<Target, 'codec'>> {
  const { address, connection } = options;
  const place = {
    namespace: options.namespace ?? DEFAULT_NAMESPACE,
    uiUrl: options.uiUrl ?? null,
    identity: options.identity ?? null,
    ownConnection: true,
    ofHome: false,
  };
  if (connection !== undefined) {
    return { ...place, address: 'the given connection', connection, ownConnection: false };
  }
  if (address !== undefined) return { ...place, address, connection: { address } };
  const configured = loadTemporalConfig(options);
  const found = configured.address === null ? await readServerFile(home) : null;
  if (found !== null) {
    return {
      ...place,
      address: found.address,
      namespace: options.namespace ?? found.namespace,
      uiUrl: place.uiUrl ?? found.uiUrl,
      connection: { address: found.address },
      ofHome: true,
    };
  }
  return {
    ...place,
    address: configured.address ?? DEFAULT_ADDRESS,
    namespace: options.namespace ?? configured.namespace ?? DEFAULT_NAMESPACE,
    connection: { ...configured.options, address: configured.address ?? DEFAULT_ADDRESS },
  };
}

/** What `TEMPORAL_*` and `temporal.toml` say; null for what they don't. */
export interface TemporalConfig {
  readonly address: string | null;
  readonly namespace: string | null;
  /** Certificates and keys, read. */
  readonly options: {
    readonly apiKey?: string;
    readonly metadata?: NonNullable<ConnectionOptions['metadata']>;
    readonly tls?: TlsOptions;
  };
}

/** As clients and workers both take it. */
type TlsOptions = Exclude<ConnectionOptions['tls'], null | undefined>;

/** @throws LonghaulError InvalidInput for what can't be read */
export function loadTemporalConfig({
  profile,
  env,
}: Pick<ConnectOptions, 'profile' | 'env'> = {}): TemporalConfig {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({
      ...(profile !== undefined && { profile }),
      ...(env !== undefined && { overrideEnvVars: variablesOf(env) }),
    });
    const { address, apiKey, tls, metadata } = connectionOptions;
    const wrong = unsendable({ 'the API key': apiKey, ...metadata });
    if (wrong !== null)
      throw new Error(`${wrong} has a character that no header may have, such as a line break`);
    return {
      // `TEMPORAL_ADDRESS=` in a shell or a compose file means "not set".
      address: givenText(address),
      namespace: givenText(namespace),
      options: {
        ...(apiKey === undefined ? {} : { apiKey }),
        ...(tls === undefined || tls === null ? {} : { tls }),
        ...(metadata === undefined ? {} : { metadata }),
      },
    };
  } catch (error) {
    const message = `Temporal's configuration (TEMPORAL_*, temporal.toml) can't be read: ${configTrouble(error)}`;
    // Without its cause, which may hold what the file says.
    throw new LonghaulError('InvalidInput', message);
  }
}

function givenText(value: string | undefined): string | null {
  const text = value?.trim() ?? '';
  return text === '' ? null : text;
}

function variablesOf(env: NonNullable<ConnectOptions['env']>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
