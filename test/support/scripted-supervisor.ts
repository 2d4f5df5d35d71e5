import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliContext } from '../../cli/context.js';
import { createOutput } from '../../cli/output.js';
import { encode, type SupervisorMessage, type Welcome } from '../../dev/protocol.js';
import { parseConfig } from '../../schemas/config.js';
import { formatFileUri } from '../../storage/uri.js';

export const WELCOME: Welcome = {
  type: 'welcome',
  address: '127.0.0.1:7233',
  namespace: 'default',
  uiUrl: 'http://127.0.0.1:8233',
  serverPid: 11,
  hasKey: false,
};

/** A home whose supervisor says what a test wants, with no server behind it. */
export class ScriptedSupervisor {
  readonly home: string;
  /** What commands said, one line each. */
  heard = '';
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(home: string) {
    this.home = home;
  }

  static async create(): Promise<ScriptedSupervisor> {
    return new ScriptedSupervisor(await realpath(await mkdtemp(join(tmpdir(), 'longhaul-scripted-'))));
  }

  /** From now on a supervisor answers each command with this. */
  async listen(...messages: readonly SupervisorMessage[]): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.setEncoding('utf8').once('data', () => this.#say(socket, messages));
      socket.on('data', (text: string) => (this.heard += text));
    });
    this.#server = server;
    const path = join(this.home, 's');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await writeFile(join(this.home, 'supervisor.json'), JSON.stringify({ pid: process.pid, socket: path }));
  }

  say(...messages: readonly SupervisorMessage[]): void {
    for (const socket of this.#sockets) this.#say(socket, messages);
  }

  /** As if it had ended. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.end();
  }

  /** What a command knows that was called with these variables. */
  context(variables: NodeJS.ProcessEnv = {}): CliContext {
    const env = { LONGHAUL_HOME: this.home, ...variables };
    const parsed = parseConfig(env);
    if (!parsed.ok) throw new Error('the environment is not valid');
    return {
      env,
      config: parsed.config,
      storeUri: formatFileUri(join(this.home, 'store')),
      mode: 'embedded',
      address: null,
      output: createOutput(),
    };
  }

  async remove(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(undefined));
    await rm(this.home, { recursive: true, force: true });
  }

  #say(socket: Socket, messages: readonly SupervisorMessage[]): void {
    socket.write(messages.map(encode).join(''));
  }
}
