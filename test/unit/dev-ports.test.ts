import { createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { LOOPBACK, claimPorts } from '../../dev/ports.js';
import type { ClaimedPorts, ServerPorts } from '../../dev/ports.js';

const claimed: ClaimedPorts[] = [];
afterEach(() => Promise.all(claimed.splice(0).map(({ release }) => release())));

async function claim(preferred: ServerPorts): Promise<ClaimedPorts> {
  const ports = await claimPorts(preferred);
  claimed.push(ports);
  return ports;
}

/** Ports that were free a moment ago. */
async function freePorts(): Promise<ServerPorts> {
  const { grpc, ui, release } = await claimPorts({ grpc: 0, ui: 0 });
  await release();
  return { grpc, ui };
}

it('claims the usual ports where they are free, others where not', async () => {
  const free = await freePorts();
  expect(free.grpc).not.toBe(free.ui);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(free.grpc, LOOPBACK, resolve));
  const others = await claim(free);
  expect(others.grpc).not.toBe(free.grpc);
  expect(others.ui).toBe(free.ui);
  await new Promise((resolve) => taken.close(resolve));
});

it('leaves claimed ports alone though nobody listens on them, until they are released', async () => {
  const free = await freePorts();
  const first = await claim(free);
  expect(first).toMatchObject(free);
  const second = await claim(free);
  expect([second.grpc, second.ui]).not.toContain(free.grpc);
  expect([second.grpc, second.ui]).not.toContain(free.ui);
  await first.release();
  expect(await claim(free)).toMatchObject(free);
});
