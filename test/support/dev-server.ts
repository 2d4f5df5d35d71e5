import { fixedPorts } from './fixed-ports.js';
import { Program } from './program.js';
import { temporalCliPath } from './servers.js';
import { ASK_EVERY_MS, createNamespace, isServing, knowsNamespace } from './temporal-calls.js';
import type { TemporalServerUnderTest } from './temporal-calls.js';

/** Temporal's dev server as a process of its own that many namespaces share; everything in memory. */
export class DevServer implements TemporalServerUnderTest {
  readonly address: string;
  readonly #program: Program;

  private constructor(address: string, program: Program) {
    this.address = address;
    this.#program = program;
  }

  static async start(): Promise<DevServer> {
    const [port = 0] = await fixedPorts(1);
    const listen = ['--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'warn'];
    const program = await Program.start({
      file: await temporalCliPath(),
      args: ['server', 'start-dev', ...listen],
      env: { PATH: process.env['PATH'] },
    });
    const server = new DevServer(`127.0.0.1:${port}`, program);
    await program.ready('the dev server serves', () => isServing(server.address), ASK_EVERY_MS);
    return server;
  }

  async createNamespace(name: string): Promise<void> {
    await createNamespace(this.address, name);
    const known = () => knowsNamespace(this.address, name);
    await this.#program.ready(`namespace ${name}`, known, ASK_EVERY_MS);
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}
