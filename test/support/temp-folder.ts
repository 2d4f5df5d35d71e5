import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { expect } from 'vitest';

/** dev/runtime-folder.ts: made once for each user and kept, with nothing in it while nothing runs. */
const RUNTIME_FOLDER = `longhaul-${process.getuid?.() ?? 0}`;

/** Of a temp folder that one home has for itself, when all its processes have ended. */
export function expectEmptyTemp(folder: string): void {
  const left = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path !== RUNTIME_FOLDER,
  );
  expect(left, 'the temp folder').toEqual([]);
}

/**
 * Homes that don't share a temp folder don't hear of each other's claims. Only Temporal's usual ports are wanted by all of
 * them; while these are taken, each home gets ports at random. Returns what gives them back.
 */
export async function takeUsualPorts(): Promise<() => Promise<void>> {
  const servers = await Promise.all([7233, 8233].map(listen));
  return async () => {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  };
}

/** Somebody else's listener does as well. */
function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(server);
      else reject(error);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server));
  });
}
