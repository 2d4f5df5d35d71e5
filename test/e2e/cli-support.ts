import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '../../emulator/index.js';
import type { Emulator, EmulatorOptions } from '../../emulator/index.js';
import type { Manifest } from '../../batch/manifest.js';
import { manifestSchema } from '../../schemas/manifest.js';
import { resultLineSchema } from '../../schemas/result-line.js';
import type { ResultLine } from '../../schemas/result-line.js';
import { Terminal } from '../support/e2e-terminal.js';
import { temporalCliPath } from '../support/servers.js';

/** The build is what users run. */
const DIST = process.env['LONGHAUL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));
export const MAIN = join(DIST, 'cli/main.js');

export const CHAT = ['--endpoint', '/v1/chat/completions', '--model', 'mistral-small-latest'] as const;
/** Jobs of the emulator take a second: the usual five between two looks would be most of a test. */
export const QUICK = [...CHAT, '--poll-min', '300ms'] as const;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with what was written as soon as it matches; rejects when the process ends without. */
  said(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string>;
}

interface JournalEntry {
  readonly route: string | null;
  readonly status: number | null;
}

/** `longhaul` as real processes, with a home, an emulator and a working folder of their own. */
export class CliFolder {
  readonly folder: string;
  readonly home: string;
  readonly emulator: Emulator;
  readonly #env: NodeJS.ProcessEnv;
  readonly #running = new Set<Running>();
  readonly #terminals = new Set<Terminal>();

  private constructor(folder: string, emulator: Emulator, temporal: string) {
    this.folder = folder;
    this.home = join(folder, 'home');
    this.emulator = emulator;
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(?:TEMPORAL_|LONGHAUL_|MISTRAL_|AWS_)/.test(name),
    );
    this.#env = {
      ...Object.fromEntries(inherited),
      TEMPORAL_CLI_PATH: temporal,
      // Somebody's own file would make every command a configured one.
      TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml'),
      LONGHAUL_HOME: this.home,
      LONGHAUL_CREATE_SETTLE: '2s',
      MISTRAL_BASE_URL: emulator.url,
    };
  }

  static async create(options: EmulatorOptions = {}): Promise<CliFolder> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-cli-')));
    await writeFile(join(folder, 'temporal.toml'), '[profile.default]\n');
    const emulator = await startEmulator({ jobSeconds: 1, dataDir: folder, ...options });
    return new CliFolder(folder, emulator, await temporalCliPath());
  }

  async remove(): Promise<void> {
    for (const { child } of this.#running) child.kill('SIGKILL');
    for (const terminal of this.#terminals) terminal.close();
    await this.run('stop');
    await this.emulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  start(args: readonly string[], options: { env?: NodeJS.ProcessEnv; stdin?: string } = {}): Running {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.folder,
      env: { ...this.#env, ...options.env },
      stdio: 'pipe',
    });
    child.stdin.end(options.stdin ?? '');
    const texts = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (texts.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (texts.stderr += text));
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (code) => {
        this.#running.delete(running);
        resolve({ code, ...texts });
      });
    });
    const running: Running = {
      child,
      ended,
      said: (stream, pattern) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (pattern.test(texts[stream])) resolve(texts[stream]);
          };
          child[stream].on('data', look);
          look();
          void ended.then(({ code, stderr }) =>
            reject(new Error(`exit code ${code} before ${pattern}: ${stderr}`)),
          );
        }),
    };
    this.#running.add(running);
    return running;
  }

  /** The command in a pseudo-terminal. */
  terminal(args: readonly string[], size: { readonly columns: number; readonly rows: number }): Terminal {
    const terminal = new Terminal([process.execPath, MAIN, ...args], {
      cwd: this.folder,
      env: this.#env,
      ...size,
    });
    this.#terminals.add(terminal);
    return terminal;
  }

  run(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** Writes an input of rows that can be told apart by their answers. */
  async input(name: string, rows: number, customId = (n: number) => `row-${n}`): Promise<string> {
    const lines = Array.from({ length: rows }, (_, n) =>
      JSON.stringify({
        custom_id: customId(n),
        body: { messages: [{ role: 'user', content: `${name} ${n}` }] },
      }),
    );
    await this.write(name, `${lines.join('\n')}\n`);
    return name;
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await writeFile(join(this.folder, name), content);
  }

  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8');
  }

  async journal(): Promise<readonly JournalEntry[]> {
    const answer = await fetch(`${this.emulator.url}/_emulator/journal`);
    return ((await answer.json()) as { requests: JournalEntry[] }).requests;
  }

  /** How often a route was called. */
  async calls(route: string): Promise<number> {
    return (await this.journal()).filter((entry) => entry.route === route).length;
  }

  async fault(rule: Record<string, unknown>): Promise<void> {
    const answer = await fetch(`${this.emulator.url}/_emulator/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rules: [rule] }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

/** The one JSON document that a command printed, as the contract describes it. */
export function manifestOf({ stdout }: Ended): Manifest {
  return manifestSchema.parse(JSON.parse(stdout));
}

export function failureOf({ stdout }: Ended): { readonly type: string; readonly message: string } {
  return (JSON.parse(stdout) as { failure: { type: string; message: string } }).failure;
}

export function resultLines(text: string): ResultLine[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => resultLineSchema.parse(JSON.parse(line)));
}
