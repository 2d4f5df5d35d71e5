import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Manifest } from '../../batch/manifest.js';
import type { EmulatorOptions } from '../../emulator/index.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { formatFileUri } from '../../storage/uri.js';
import { Command } from './e2e-command.js';
import { E2eEmulator } from './e2e-emulator.js';
import { API_KEY, ENDPOINT, MODEL } from './e2e-home.js';
import { writeRows } from './e2e-rows.js';
import { Program } from './program.js';
import type { TemporalServerUnderTest } from './temporal-calls.js';
import { until } from './until.js';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Workflows, provider, transfer. */
const QUEUES = 3;

/** Where the three kinds of connections lead to. */
export interface Links {
  /** Address of Temporal, for workers. */
  readonly worker: string;
  /** Address of Temporal, for commands. */
  readonly command: string;
  /** Base URL. */
  readonly provider: string;
}

export interface SiteOptions {
  readonly temporal: TemporalServerUnderTest;
  readonly namespace: string;
  readonly emulator?: EmulatorOptions;
  readonly env?: NodeJS.ProcessEnv;
  /** What is put in between; default: nothing. */
  readonly links?: Links;
}

/**
 * What one team has on a Temporal server that others run: a namespace, a shared store, workers, a provider; and commands
 * that talk to these.
 */
export class Site {
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #links: Links;
  readonly #workers: Program[] = [];
  readonly #commands: Command[] = [];
  #emulator: E2eEmulator;

  private constructor(folder: string, emulator: E2eEmulator, env: NodeJS.ProcessEnv, links: Links) {
    this.folder = folder;
    this.#emulator = emulator;
    this.#env = env;
    this.#links = links;
  }

  /** The namespace is set up as a person does it, by `longhaul setup`. */
  static async create({ temporal, namespace, ...options }: SiteOptions): Promise<Site> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-site-')));
    await mkdir(join(folder, 'person'));
    const emulator = await E2eEmulator.start(options.emulator);
    await temporal.createNamespace(namespace);
    const { address } = temporal;
    const direct = { worker: address, command: address, provider: emulator.url };
    const env = {
      PATH: process.env['PATH'],
      HOME: join(folder, 'person'),
      TEMPORAL_NAMESPACE: namespace,
      LONGHAUL_HOME: join(folder, 'home'),
      LONGHAUL_STORE: formatFileUri(join(folder, 'store')),
      LONGHAUL_FILE_ROOTS: folder,
      LONGHAUL_CREATE_SETTLE: '4s',
      MISTRAL_API_KEY: API_KEY,
      ...options.env,
    };
    const site = new Site(folder, emulator, env, options.links ?? direct);
    await site.longhaul('setup').exits(0);
    return site;
  }

  get emulator(): E2eEmulator {
    return this.#emulator;
  }

  /** Another provider at the same address, that knows of nothing and has been asked nothing. */
  async renewEmulator(options: EmulatorOptions): Promise<void> {
    this.#emulator = await this.#emulator.renewed(options);
  }

  longhaul(...args: readonly string[]): Command {
    const command = new Command(args, { cwd: this.folder, env: this.#envOf(this.#links.command) });
    this.#commands.push(command);
    return command;
  }

  run(input: string, id: string, ...more: readonly string[]): Command {
    return this.longhaul('run', input, ...WORK, '--id', id, ...more);
  }

  /** `longhaul worker`; returns when it polls all its queues. `temporal`: address, if it has a way of its own there. */
  async startWorker(temporal = this.#links.worker): Promise<Program> {
    const env = this.#envOf(temporal);
    const worker = await Program.start({ file: process.execPath, args: [CLI, 'worker'], env });
    this.#workers.push(worker);
    await worker.ready('the worker polls', () => worker.output.split('"state":"RUNNING"').length > QUEUES);
    return worker;
  }

  #envOf(temporal: string): NodeJS.ProcessEnv {
    return { ...this.#env, TEMPORAL_ADDRESS: temporal, MISTRAL_BASE_URL: this.#links.provider };
  }

  writeRows(name: string, rows: readonly object[]): Promise<string> {
    return writeRows(join(this.folder, name), rows);
  }

  results(batchId: string): Promise<Buffer> {
    return readFile(join(this.folder, 'store', batchId, 'results.jsonl'));
  }

  async manifest(batchId: string): Promise<Manifest> {
    const text = await readFile(join(this.folder, 'store', batchId, 'manifest.json'), 'utf8');
    return manifestSchema.parse(JSON.parse(text));
  }

  /** Of batches that are finished, in no order. */
  async finished(): Promise<string[]> {
    const paths = await readdir(join(this.folder, 'store'), { recursive: true });
    return paths.flatMap((path) => (/^[^/]+\/manifest\.json$/.test(path) ? [path.split('/')[0] ?? ''] : []));
  }

  async expectNoTempFiles(): Promise<void> {
    const inStore = await readdir(join(this.folder, 'store'), { recursive: true });
    expect(inStore.filter((path) => /(?:^|\/)\.tmp-|\.tmp$/.test(path))).toEqual([]);
    const scratch = join(this.folder, 'home', 'scratch');
    // An attempt that was given up may have lived a little longer than its batch.
    await until(
      'the scratch folder is empty',
      () => !existsSync(scratch) || readdirSync(scratch).length === 0,
    );
  }

  async remove(): Promise<void> {
    for (const command of this.#commands) command.kill();
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.#emulator.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What all batches of the tests have in common. */
export const WORK = ['--endpoint', ENDPOINT, '--model', MODEL, '--poll-min', '1s'] as const;
