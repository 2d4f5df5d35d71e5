import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { HttpClient } from '../../providers/http.js';

/** As `docs/guarantees.md` has it for connecting. */
const CONNECT_MS = 10_000;
const SLACK_MS = 15_000;

const LISTENER = `
  const server = require('node:net').createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => process.stdout.write(String(server.address().port)));
`;

/**
 * A port that answers no connect, as one behind a firewall that drops packets: its process is suspended and its queue of
 * connections is full, so that the system does not even confirm another one.
 */
async function deafPort(): Promise<number> {
  const listener = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listener.kill('SIGKILL');
  });
  const port = await new Promise<number>((resolve) => {
    listener.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
  });
  listener.kill('SIGSTOP');
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    sockets.push(socket);
    // The system confirms a connection at once, or never.
    const isTaken = await Promise.race([once(socket, 'connect').then(() => true), sleep(1_000, false)]);
    if (!isTaken) return port;
  }
}

async function expectConnectGivenUp(port: number, isOnce: boolean): Promise<void> {
  const client = new HttpClient({
    baseUrl: new URL(`http://127.0.0.1:${port}`),
    authorization: 'Bearer key',
    secret: 'key',
    userAgent: 'test',
    gate: () => Promise.resolve(),
  });
  onTestFinished(() => client.close());
  const begun = Date.now();
  const timeoutMs = 10 * CONNECT_MS;
  const call = { name: 'list jobs', method: 'GET', path: '/jobs', once: isOnce, timeoutMs } as const;
  await expect(client.call(call)).rejects.toMatchObject({
    type: 'ProviderUnavailable',
    // Nothing has left this machine: whoever asks for a job need not look for it.
    effect: 'refused',
    message: expect.stringContaining('could not be reached'),
  });
  expect(Date.now() - begun).toBeGreaterThanOrEqual(CONNECT_MS - 1_000);
  expect(Date.now() - begun).toBeLessThan(CONNECT_MS + SLACK_MS);
}

it('a connect that nobody answers is given up long before the call’s own time-out, on a create’s own connection too', async () => {
  const port = await deafPort();
  await Promise.all([false, true].map((isOnce) => expectConnectGivenUp(port, isOnce)));
});
