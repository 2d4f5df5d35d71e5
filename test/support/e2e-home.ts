import { mkdir, mkdtemp, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Manifest } from '../../batch/manifest.js';
import type { EmulatorOptions } from '../../emulator/index.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { Command } from './e2e-command.js';
import { E2eEmulator } from './e2e-emulator.js';
import { processesOfHome, sigkill } from './e2e-processes.js';
import { temporalCliPath } from './servers.js';

export const API_KEY = 'sk-e2e-9f3b1c7d5a2e4860';
export const ENDPOINT = '/v1/chat/completions';
export const MODEL = 'mistral-small-latest';

export interface HomeOptions {
  readonly emulator?: EmulatorOptions;
  readonly env?: NodeJS.ProcessEnv;
  /** A temp folder of its own (`temp`), so that what is left in it can be seen. */
  readonly ownTemp?: boolean;
  /** Stands in for the emulator's own address. */
  readonly baseUrl?: (emulator: E2eEmulator) => Promise<string>;
}

/** A LONGHAUL_HOME in a temporary folder, an emulator, and commands that know of nothing else. */
export class E2eHome {
  readonly folder: string;
  readonly path: string;
  readonly temp: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #commands: Command[] = [];
  #emulator: E2eEmulator;

  private constructor(folder: string, emulator: E2eEmulator, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.path = join(folder, 'home');
    this.temp = env['TMPDIR'] ?? tmpdir();
    this.#emulator = emulator;
    this.env = env;
  }

  get emulator(): E2eEmulator {
    return this.#emulator;
  }

  static async create(options: HomeOptions = {}): Promise<E2eHome> {
    const cli = await temporalCliPath();
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-e2e-')));
    await mkdir(join(folder, 'person'));
    const emulator = await E2eEmulator.start(options.emulator);
    const { PATH } = process.env;
    const temp = options.ownTemp === true ? join(folder, 'temp') : tmpdir();
    await mkdir(temp, { recursive: true });
    return new E2eHome(folder, emulator, {
      PATH,
      TMPDIR: temp,
      // Nobody's own configuration: no temporal.toml, no caches, no keys.
      HOME: join(folder, 'person'),
      TEMPORAL_CLI_PATH: cli,
      LONGHAUL_HOME: join(folder, 'home'),
      LONGHAUL_CREATE_SETTLE: '4s',
      MISTRAL_BASE_URL: (await options.baseUrl?.(emulator)) ?? emulator.url,
      MISTRAL_API_KEY: API_KEY,
      ...options.env,
    });
  }

  /** Another provider at the same address, that knows of nothing and has been asked nothing. */
  async renewEmulator(options: EmulatorOptions): Promise<void> {
    this.#emulator = await this.#emulator.renewed(options);
  }

  longhaul(...args: readonly string[]): Command {
    return this.longhaulWith({}, ...args);
  }

  /** A command from a shell that has other variables. */
  longhaulWith(env: NodeJS.ProcessEnv, ...args: readonly string[]): Command {
    const command = new Command(args, { cwd: this.folder, env: { ...this.env, ...env } });
    this.#commands.push(command);
    return command;
  }

  /** `longhaul run` with polls as quick as they come. */
  run(input: string, id: string, ...more: readonly string[]): Command {
    const what = ['--endpoint', ENDPOINT, '--model', MODEL, '--id', id, '--poll-min', '1s'];
    return this.longhaul('run', input, ...what, ...more);
  }

  storePath(batchId: string, file: string): string {
    return join(this.path, 'store', batchId, file);
  }

  results(batchId: string): Promise<Buffer> {
    return readFile(this.storePath(batchId, 'results.jsonl'));
  }

  async manifest(batchId: string): Promise<Manifest> {
    const text = await readFile(this.storePath(batchId, 'manifest.json'), 'utf8');
    return manifestSchema.parse(JSON.parse(text));
  }

  /** No file that a writer left unfinished. */
  async expectNoTempFiles(): Promise<void> {
    const inStore = await readdir(join(this.path, 'store'), { recursive: true });
    expect(inStore.filter((path) => /(?:^|\/)\.tmp-|\.tmp$/.test(path))).toEqual([]);
  }

  killAll(): void {
    for (const { pid } of processesOfHome(this.path)) sigkill(pid);
  }

  /** Ends and removes everything, whatever a failed test has left, without a word to anybody. */
  async remove(): Promise<void> {
    for (const command of this.#commands) command.kill();
    // One that was just starting another may have been missed.
    while (processesOfHome(this.path).length > 0) this.killAll();
    await this.#emulator.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
