import { findToxiproxy } from '../../dev/toxiproxy.js';
import { fixedPorts } from './fixed-ports.js';
import { HalfOpenRelay } from './half-open-relay.js';
import { Program } from './program.js';

/** https://github.com/Shopify/toxiproxy#toxics; `upstream` is towards the server. */
export interface Toxic {
  readonly type: 'latency' | 'bandwidth' | 'timeout' | 'reset_peer' | 'slicer' | 'limit_data';
  readonly stream: 'upstream' | 'downstream';
  readonly attributes: Readonly<Record<string, number>>;
}

/** Toxiproxy's server; each link is a port of its own, with toxics of its own. */
export class Toxiproxy {
  readonly #program: Program;
  readonly #api: string;
  readonly #relays: HalfOpenRelay[] = [];

  private constructor(program: Program, api: string) {
    this.#program = program;
    this.#api = api;
  }

  static async start(): Promise<Toxiproxy> {
    const [port = 0] = await fixedPorts(1);
    const file = await findToxiproxy({
      env: process.env,
      onProgress: (line) => void process.stderr.write(`${line}\n`),
    });
    const program = await Program.start({
      file,
      args: ['-host', '127.0.0.1', '-port', String(port)],
      env: { PATH: process.env['PATH'] },
    });
    const proxy = new Toxiproxy(program, `http://127.0.0.1:${port}`);
    await program.ready('toxiproxy answers', () =>
      fetch(`${proxy.#api}/version`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return proxy;
  }

  /** A way to `host:port`, healthy so far. */
  async link(name: string, upstream: string): Promise<ToxicLink> {
    // Not one of the system's choice: a link that was down comes back on the port that it had.
    const [port = 0] = await fixedPorts(1);
    const listen = `127.0.0.1:${port}`;
    const relay = await HalfOpenRelay.start(upstream);
    this.#relays.push(relay);
    await this.#call('/proxies', { name, listen, upstream: relay.address, enabled: true });
    return new ToxicLink(listen, relay, (path, body) => this.#call(`/proxies/${name}${path}`, body));
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    await Promise.all(this.#relays.map((relay) => relay.close()));
  }

  async #call(path: string, body?: object): Promise<void> {
    const answer = await fetch(`${this.#api}${path}`, {
      method: body === undefined ? 'DELETE' : 'POST',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`toxiproxy: ${path} answered ${answer.status}: ${await answer.text()}`);
  }
}

export class ToxicLink {
  readonly address: string;
  readonly #relay: HalfOpenRelay;
  readonly #call: (path: string, body?: object) => Promise<void>;
  #toxics: string[] = [];
  #wasHalfOpen = false;

  constructor(address: string, relay: HalfOpenRelay, call: (path: string, body?: object) => Promise<void>) {
    this.address = address;
    this.#relay = relay;
    this.#call = call;
  }

  async add(...toxics: readonly Toxic[]): Promise<void> {
    for (const toxic of toxics) {
      const name = `${toxic.type}-${toxic.stream}`;
      await this.#call('/toxics', { ...toxic, name });
      this.#toxics.push(name);
    }
  }

  /** Connections that a black hole had swallowed are closed by that; others are healthy again. */
  async heal(): Promise<void> {
    for (const name of this.#toxics.splice(0)) await this.#call(`/toxics/${name}`);
  }

  /** The connections there are go on being established and carry nothing any more; new ones work. Not healed by anything. */
  halfOpen(): void {
    this.#wasHalfOpen = true;
    this.#relay.freeze();
  }

  get wasHalfOpen(): boolean {
    return this.#wasHalfOpen;
  }

  /** Bytes that connections which are half-open have carried nowhere. */
  get swallowed(): number {
    return this.#relay.swallowed;
  }

  /** Connections are closed, new ones refused. */
  down(): Promise<void> {
    return this.#call('', { enabled: false });
  }

  up(): Promise<void> {
    return this.#call('', { enabled: true });
  }
}

/** Both directions go on being connected, and nothing comes through. */
export const BLACK_HOLE: readonly Toxic[] = [
  { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } },
  { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } },
];

/** The connections there are, and each new one, end by a TCP reset. */
export const RESET: readonly Toxic[] = [
  { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } },
];

/** Late, at varying times, narrow, and in pieces of a few bytes. */
export const SLOW: readonly Toxic[] = (['upstream', 'downstream'] as const).flatMap((stream) => [
  { type: 'latency', stream, attributes: { latency: 150, jitter: 100 } },
  { type: 'bandwidth', stream, attributes: { rate: 40 } },
  { type: 'slicer', stream, attributes: { average_size: 60, size_variation: 40, delay: 500 } },
]);
