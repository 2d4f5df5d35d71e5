import { createServer } from 'node:net';

/** Below the ranges that systems hand out by themselves, so that nobody's connection takes one during a restart. */
const FIRST = 12_000;
const LAST = 30_000;

/** Files that run at the same time choose from ranges of their own: what is free for one may be chosen by another. */
const LANES = 8;
const WIDTH = Math.floor((LAST - FIRST) / LANES);
const LANE_FIRST = FIRST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % LANES) * WIDTH;

/** So many different ports that are free now, for servers that come back on the port they had. */
export async function fixedPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LANE_FIRST + Math.floor(Math.random() * WIDTH);
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
