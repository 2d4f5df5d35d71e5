import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { defineSearchAttributeKey } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../../batch/wire-names.js';
import { Longhaul } from '../../client/index.js';
import type { ConnectOptions, StartOptions } from '../../client/index.js';
import type { EmulatorOptions } from '../../emulator/index.js';
import { E2eEmulator } from './e2e-emulator.js';
import { questions, writeRows } from './e2e-rows.js';
import { temporalCliPath } from './servers.js';

const DIST = process.env['LONGHAUL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));

export interface WorldOptions {
  readonly emulator?: EmulatorOptions;
  /** Default: Longhaul's are registered. */
  readonly searchAttributes?: boolean;
}

/** A Temporal dev server, an emulator, a store, clients of them and, when asked for, a worker process. */
export class ClientWorld {
  readonly folder: string;
  readonly emulator: E2eEmulator;
  readonly temporal: TestWorkflowEnvironment;
  readonly #clients: Longhaul[] = [];
  #worker: ChildProcess | null = null;

  private constructor(folder: string, emulator: E2eEmulator, temporal: TestWorkflowEnvironment) {
    this.folder = folder;
    this.emulator = emulator;
    this.temporal = temporal;
  }

  static async create({ emulator, searchAttributes = true }: WorldOptions = {}): Promise<ClientWorld> {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const attributes = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) =>
      type === 'Int' ? defineSearchAttributeKey(name, 'INT') : defineSearchAttributeKey(name, 'KEYWORD'),
    );
    const temporal = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: await temporalCliPath() },
        ...(searchAttributes ? { searchAttributes: attributes } : {}),
      },
    });
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-client-')));
    return new ClientWorld(folder, await E2eEmulator.start(emulator), temporal);
  }

  async remove(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.stopWorker();
    await this.temporal.teardown();
    await this.emulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async connect(options: ConnectOptions = {}): Promise<Longhaul> {
    const client = await Longhaul.connect({
      address: this.temporal.address,
      home: this.folder,
      baseUrl: this.emulator.url,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** A new input of so many rows, and how to start it. */
  async batch(name: string, rows = 5): Promise<StartOptions> {
    const input = await writeRows(join(this.folder, `${name}.jsonl`), questions(rows, name));
    return { input, endpoint: '/v1/chat/completions', model: 'mistral-small-latest', pollMin: '1s' };
  }

  async file(name: string, content: string): Promise<string> {
    await writeFile(join(this.folder, name), content);
    return join(this.folder, name);
  }

  /** Returns when it polls. */
  async startWorker(): Promise<void> {
    const worker = spawn(process.execPath, [join(DIST, 'worker/main.js')], {
      env: {
        PATH: process.env['PATH'],
        TEMPORAL_ADDRESS: this.temporal.address,
        LONGHAUL_HOME: this.folder,
        LONGHAUL_FILE_ROOTS: this.folder,
        MISTRAL_API_KEY: 'sk-client-test',
        MISTRAL_BASE_URL: this.emulator.url,
      },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.#worker = worker;
    const said: string[] = [];
    for await (const line of createInterface({ input: worker.stderr })) {
      said.push(line);
      if (line.includes('worker is polling')) {
        // Keeps reading, so that the worker never waits for its log.
        worker.stderr.resume();
        return;
      }
    }
    throw new Error(`the worker ended:\n${said.join('\n')}`);
  }

  async stopWorker(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    if (worker === null || worker.exitCode !== null || worker.signalCode !== null) return;
    const exited = once(worker, 'exit');
    worker.kill(signal);
    await exited;
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
