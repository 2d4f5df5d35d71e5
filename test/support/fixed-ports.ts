import { createServer } from 'node:net';

/** Below the ranges that systems hand out by themselves, so that nobody's connection takes one during a restart. */
const FIRST = 12_000;
const LAST = 30_000;

/** So many different ports that are free now, for servers that come back on the port they had. */
export async function fixedPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
