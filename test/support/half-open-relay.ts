import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/**
 * A way to `host:port` whose connections can be made half-open: they stay established on both sides and carry nothing any
 * more, as when a router in between has forgotten them, while new ones work. Toxiproxy has no toxic for that: its toxics
 * strike new connections too, and close those that they struck when they are taken away.
 */
export class HalfOpenRelay {
  readonly #server: Server;
  readonly #pairs: Set<Pair>;

  private constructor(server: Server, pairs: Set<Pair>) {
    this.#server = server;
    this.#pairs = pairs;
  }

  static async start(upstream: string): Promise<HalfOpenRelay> {
    const { hostname, port } = new URL(`tcp://${upstream}`);
    const pairs = new Set<Pair>();
    const server = createServer({ allowHalfOpen: true }, (near) => {
      pairs.add(new Pair(near, connect({ host: hostname, port: Number(port), allowHalfOpen: true })));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HalfOpenRelay(server, pairs);
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the relay is closed');
    return `127.0.0.1:${address.port}`;
  }

  /** What the connections there are carry from now on goes nowhere; that one side closes is not told to the other. */
  freeze(): void {
    for (const pair of this.#pairs) pair.frozen = true;
  }

  /** Bytes that went nowhere so far. */
  get swallowed(): number {
    return [...this.#pairs].reduce((sum, pair) => sum + pair.swallowed, 0);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const pair of this.#pairs) pair.destroy();
    await once(this.#server, 'close');
  }
}

class Pair {
  frozen = false;
  swallowed = 0;
  readonly #sockets: readonly [Socket, Socket];

  constructor(near: Socket, far: Socket) {
    this.#sockets = [near, far];
    this.#carry(near, far);
    this.#carry(far, near);
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(from: Socket, to: Socket): void {
    const unlessFrozen = (pass: () => unknown) => () => void (this.frozen || pass());
    from.setNoDelay();
    from.on('data', (chunk: Buffer) => {
      if (this.frozen) this.swallowed += chunk.length;
      else to.write(chunk);
    });
    from.on(
      'end',
      unlessFrozen(() => to.end()),
    );
    from.on(
      'error',
      unlessFrozen(() => to.resetAndDestroy()),
    );
    from.on(
      'close',
      unlessFrozen(() => to.destroySoon()),
    );
  }
}
