import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import type { EmbeddedOptions, EmbeddedSession, SessionEvent } from '../../dev/embedded.js';
import { commandLine, isAlive } from '../../dev/process-identity.js';
import { temporalCliPath } from './servers.js';

/** The build is what users run: detached processes, their entry points and all. */
const DIST = process.env['LONGHAUL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));
const EMBEDDED = pathToFileURL(join(DIST, 'dev/embedded.js')).href;
type Embedded = typeof import('../../dev/embedded.js');

/** Notes each of its lives in the home, and behaves as its contract says. */
const WORKER = `
import { appendFileSync } from 'node:fs';
const { LONGHAUL_HOME: home, LONGHAUL_WORKER_ROLE: role, MISTRAL_API_KEY: apiKey, MISTRAL_BASE_URL: baseUrl } = process.env;
const note = (entry) => appendFileSync(home + '/lives', JSON.stringify({ pid: process.pid, ...entry }) + '\\n');
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => { note({ drained: true }); process.exit(); });
if (baseUrl?.includes('broken')) {
  process.send({ type: 'failed', message: 'no such bucket' }, () => process.exit(1));
} else {
  note({ role, apiKey, baseUrl, address: process.env.TEMPORAL_ADDRESS });
  console.error('polling');
  process.send({ type: 'ready' });
}
`;

/** A command in a process of its own: says what it is connected to, then waits for its end. */
const COMMAND = `
const [home, workerEntry] = process.argv.slice(2);
const { connectEmbedded } = await import(${JSON.stringify(EMBEDDED)});
const { supervisorPid, serverPid, workerPid } = await connectEmbedded({
  home, workerEntry, need: 'full', settings: {}, env: process.env, onProgress: () => undefined,
});
console.log(JSON.stringify({ supervisorPid, serverPid, workerPid }));
setInterval(() => undefined, 60_000);
`;

export interface Pids {
  readonly supervisorPid: number;
  readonly serverPid: number;
  readonly workerPid: number | undefined;
}

/** What the fake worker notes: how it was started, or that it was told to drain. */
export interface WorkerLife {
  readonly pid: number;
  readonly role?: string;
  readonly apiKey?: string;
  readonly baseUrl?: string;
  readonly address?: string;
  readonly drained?: boolean;
}

/** Homes in a temporary folder, with the real Temporal server and a fake worker. */
export class DevHomes {
  readonly dev: Embedded;
  readonly cli: string;
  readonly folder: string;
  readonly home: string;
  readonly #sessions: EmbeddedSession[] = [];
  readonly #commands: ChildProcess[] = [];

  private constructor(dev: Embedded, cli: string, folder: string) {
    this.dev = dev;
    this.cli = cli;
    this.folder = folder;
    this.home = this.otherHome('a');
  }

  static async create(): Promise<DevHomes> {
    const dev = (await import(EMBEDDED)) as Embedded;
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-dev-')));
    await mkdir(join(folder, 'homes'));
    await writeFile(join(folder, 'worker.mjs'), WORKER);
    await writeFile(join(folder, 'command.mjs'), COMMAND);
    return new DevHomes(dev, await temporalCliPath(), folder);
  }

  /** Stops and removes everything. */
  async remove(): Promise<void> {
    for (const command of this.#commands) command.kill('SIGKILL');
    await Promise.all(this.#sessions.map((session) => session.close()));
    for (const name of await readdir(join(this.folder, 'homes'))) {
      await this.dev.stopEmbedded({ home: this.otherHome(name) });
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  otherHome(name: string): string {
    return join(this.folder, 'homes', name);
  }

  async connect(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedSession> {
    const session = await this.dev.connectEmbedded({
      home: this.home,
      need: 'full',
      settings: {},
      env: process.env,
      onProgress: () => undefined,
      workerEntry: join(this.folder, 'worker.mjs'),
      timing: { grace: 300, backgroundCheck: 300 },
      ...options,
    });
    this.#sessions.push(session);
    return session;
  }

  /** Starts a command with a process of its own, and returns when it is connected. */
  async startCommand(): Promise<{ child: ChildProcess; pids: Pids }> {
    const args = [join(this.folder, 'command.mjs'), this.home, join(this.folder, 'worker.mjs')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#commands.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      return { child, pids: JSON.parse(line) as Pids };
    }
    throw new Error('the command ended without a word');
  }

  async temporal(session: EmbeddedSession, ...args: string[]): Promise<string> {
    const at = ['--address', session.address, '--output', 'json'];
    return (await promisify(execFile)(this.cli, [...args, ...at])).stdout;
  }

  /** An open workflow that looks like a batch; nobody works on it. */
  async startBatch(session: EmbeddedSession, id: string): Promise<void> {
    const args = ['--type', 'runBatch', '--task-queue', 'nobody', '--workflow-id', id];
    await this.temporal(session, 'workflow', 'start', ...args);
  }

  async statusOfBatch(session: EmbeddedSession, id: string): Promise<string | undefined> {
    const text = await this.temporal(session, 'workflow', 'describe', '--workflow-id', id);
    return /"WORKFLOW_EXECUTION_STATUS_(\w+)"/.exec(text)?.[1];
  }

  async workerLives(): Promise<WorkerLife[]> {
    const text = await readFile(join(this.home, 'lives'), 'utf8');
    const lines = text.trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as WorkerLife);
  }

  /**
   * A Temporal CLI that notes its calls: the environment to use it, and a function that reads the calls. `before` is
   * shell code that each call runs first.
   */
  async watchedCli(before = ''): Promise<{ env: NodeJS.ProcessEnv; calls: () => Promise<string[]> }> {
    const path = join(this.folder, 'temporal');
    const calls = join(this.folder, 'calls');
    await writeFile(path, `#!/bin/sh\necho "$*" >> '${calls}'\n${before}\nexec '${this.cli}' "$@"\n`);
    await chmod(path, 0o755);
    return {
      env: { ...process.env, TEMPORAL_CLI_PATH: path },
      calls: async () => (await readFile(calls, 'utf8')).split('\n'),
    };
  }

  /** The server as soon as it is noted for a next supervisor, which is before it is ready. */
  async serverInStart(): Promise<number> {
    return vi.waitFor(
      async () => {
        const records: unknown = JSON.parse(await readFile(join(this.home, 'processes.json'), 'utf8'));
        const [server] = records as { pid: number }[];
        if (server === undefined) throw new Error('no server is noted');
        return server.pid;
      },
      { timeout: 30_000, interval: 10 },
    );
  }
}

/** Supervisor, guard, server and worker. */
export function processesOf(pids: Pids): number[] {
  const guard = guardOf(pids.serverPid);
  expect(commandLine(guard)).toContain('guard.js');
  expect(pids.workerPid).toBeDefined();
  return [pids.supervisorPid, guard, pids.serverPid, pids.workerPid ?? 0];
}

export function guardOf(serverPid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(serverPid)], { encoding: 'utf8' }));
}

export async function allGone(pids: readonly number[]): Promise<void> {
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 15_000, interval: 50 });
}

/** Resolves with the first event of a kind from now on. */
export function nextEvent<T extends SessionEvent['type']>(
  session: EmbeddedSession,
  type: T,
): Promise<Extract<SessionEvent, { type: T }>> {
  return new Promise((resolve) => {
    const stop = session.onEvent((event) => {
      if (event.type !== type) return;
      stop();
      resolve(event as Extract<SessionEvent, { type: T }>);
    });
  });
}
