import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** The build is what users run. */
const DIST = process.env['LONGHAUL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));
const CLI = join(DIST, 'cli/main.js');

/** `longhaul …` as a process of its own, in a process group of its own as a shell would start it. */
export class Command {
  stdout = '';
  stderr = '';
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;
  readonly #name: string;

  constructor(args: readonly string[], options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }) {
    this.#name = `longhaul ${args.join(' ')}`;
    const child = spawn(process.execPath, [CLI, ...args], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal ?? -1));
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ctrl-C: a terminal sends it to the whole process group. */
  interrupt(): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGINT');
  }

  /** SIGKILL of this one process. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Waits for the end, and shows what the command said if it was another one than expected. */
  async exits(expected: number | NodeJS.Signals): Promise<this> {
    const code = await this.ended;
    expect(code, `${this.#name}\n${this.stderr}\n${this.stdout}`).toBe(expected);
    return this;
  }
}
