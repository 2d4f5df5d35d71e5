import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Screen } from './screen.js';

const SCRIPT = fileURLToPath(new URL('run-in-terminal.py', import.meta.url));

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly columns: number;
  readonly rows: number;
}

/** A command in a pseudo-terminal, and what a person would see of it. */
export class Terminal {
  readonly screen: Screen;
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #watchers = new Set<() => void>();
  #failure: unknown = null;

  constructor(command: readonly string[], { cwd, env, columns, rows }: TerminalOptions) {
    this.screen = new Screen(columns, rows);
    const child = spawn('python3', [SCRIPT, String(columns), String(rows), ...command], {
      cwd,
      env: { ...env, TERM: 'xterm-256color' },
      stdio: 'pipe',
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#show(text));
    this.ended = new Promise((resolve) => child.once('close', resolve));
    void this.ended.then(() => this.#look());
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#order({ resize: [columns, rows] });
  }

  press(keys: string): void {
    this.#order({ keys });
  }

  /** Hangs up. */
  close(): void {
    this.#child.stdin.end();
  }

  /** Resolves as soon as the screen is as it should be; rejects when the command ends before. */
  shows(isSo: (screen: Screen) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const hasEnded = this.#child.exitCode !== null;
        if (this.#failure === null && !hasEnded && !isSo(this.screen)) return;
        this.#watchers.delete(look);
        if (this.#failure === null && isSo(this.screen)) resolve();
        else reject(new Error(this.screen.allLines.join('\n'), { cause: this.#failure }));
      };
      this.#watchers.add(look);
      look();
    });
  }

  #show(text: string): void {
    try {
      this.screen.write(text);
    } catch (error) {
      this.#failure ??= error;
    }
    this.#look();
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }

  #order(order: object): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }
}
