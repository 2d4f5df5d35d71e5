import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { tryLock, type ProcessLock } from './process-lock.js';
import { runtimeFolder } from './runtime-folder.js';

export const LOOPBACK = '127.0.0.1';

export interface ServerPorts {
  readonly grpc: number;
  readonly ui: number;
}

/**
 * Ports that no other home takes until they are released or this process dies, though nobody may listen on them for a
 * while: a killed server comes back on its own, and its clients must not meet another home's server there meanwhile.
 */
export interface ClaimedPorts extends ServerPorts {
  readonly release: () => Promise<void>;
}

interface Claim {
  readonly port: number;
  readonly lock: ProcessLock;
  /** Listens until all ports are known, so that they differ. */
  readonly server: Server;
}

/** Random ports are hardly ever claimed by a server that is just being started again. */
const RANDOM_ATTEMPTS = 20;

/** Temporal's usual ports where they are free, others where not. */
export async function claimPorts(preferred: ServerPorts): Promise<ClaimedPorts> {
  const claims: Claim[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(claims.map(({ lock }) => lock.release()));
  };
  try {
    for (const port of [preferred.grpc, preferred.ui]) claims.push(await claimNear(port));
    const [grpc = 0, ui = 0] = claims.map(({ port }) => port);
    return { grpc, ui, release };
  } catch (error) {
    await release();
    throw error;
  } finally {
    await Promise.all(claims.map(({ server }) => close(server)));
  }
}

async function claimNear(preferred: number): Promise<Claim> {
  let claim = await tryClaim(preferred);
  for (let attempt = 1; claim === undefined && attempt <= RANDOM_ATTEMPTS; attempt++)
    claim = await tryClaim(0);
  if (claim === undefined) throw new Error(`no free port on ${LOOPBACK}`);
  return claim;
}

async function tryClaim(wanted: number): Promise<Claim | undefined> {
  const server = await listen(wanted);
  if (server === undefined) return undefined;
  try {
    const address = server.address();
    if (address !== null && typeof address === 'object') {
      const { port } = address;
      const lock = await tryLock(join(await runtimeFolder(), `port-${port}.lock`));
      if (lock !== undefined) return { port, lock, server };
    }
  } catch (error) {
    await close(server);
    throw error;
  }
  await close(server);
  return undefined;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => resolve(server));
  });
}
