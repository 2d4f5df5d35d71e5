import { createServer, type Server } from 'node:net';

export const LOOPBACK = '127.0.0.1';

export interface ServerPorts {
  readonly grpc: number;
  readonly ui: number;
}

/** Temporal's usual ports where they are free, others where not. */
export async function choosePorts(preferred: ServerPorts): Promise<ServerPorts> {
  // Both are held until both are known, so that they differ.
  const servers: Server[] = [];
  try {
    const grpc = await hold(preferred.grpc, servers);
    return { grpc, ui: await hold(preferred.ui, servers) };
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function hold(port: number, held: Server[]): Promise<number> {
  const server = (await listen(port)) ?? (await listen(0));
  const address = server?.address();
  if (server === undefined || address === null || typeof address !== 'object') {
    throw new Error(`no free port on ${LOOPBACK}`);
  }
  held.push(server);
  return address.port;
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => resolve(server));
  });
}
