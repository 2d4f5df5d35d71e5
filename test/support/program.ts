import { setTimeout as pause } from 'node:timers/promises';
import { startGuarded } from '../../dev/guarded-process.js';
import type { GuardedProcess } from '../../dev/guarded-process.js';
import { isAlive } from '../../dev/process-identity.js';

export interface ProgramOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A dozen of them may start at the same time, beside as many servers. */
const READY_WITHIN_MS = 120_000;

/** A server or worker of a test. It is under a guard, so it ends with the test's process, however that ends. */
export class Program {
  readonly pid: number;
  /** How it ended, in words. */
  readonly exited: Promise<string>;
  readonly #process: GuardedProcess;
  readonly #output: { text: string };

  private constructor(process: GuardedProcess, output: { text: string }) {
    this.#process = process;
    this.#output = output;
    this.pid = process.pid;
    this.exited = process.exited.then(({ how }) => how);
  }

  static async start(options: ProgramOptions): Promise<Program> {
    const output = { text: '' };
    const started = await startGuarded({
      ...options,
      grace: 5_000,
      onOutput: (text) => void (output.text += text),
    });
    return new Program(started, output);
  }

  /** Everything that it wrote so far, to either stream. */
  get output(): string {
    return this.#output.text;
  }

  /** Waits until a check holds, as long as the program runs. One that costs a process is made less often. */
  async ready(what: string, check: () => Promise<boolean> | boolean, everyMs = 50): Promise<void> {
    const giveUpAt = performance.now() + READY_WITHIN_MS;
    while (!(await check())) {
      const problem = !isAlive(this.pid) ? 'it ended' : performance.now() > giveUpAt ? 'time is up' : null;
      if (problem !== null) throw new Error(`${problem} before ${what}:\n${this.output.slice(-4_000)}`);
      await pause(everyMs);
    }
  }

  /** SIGKILL; returns when it is gone. */
  kill(): Promise<string> {
    return this.signal('SIGKILL');
  }

  /** Returns how it ended after a signal. */
  signal(signal: NodeJS.Signals): Promise<string> {
    process.kill(this.pid, signal);
    return this.exited;
  }

  /** Ends it whatever it does. */
  stop(): Promise<void> {
    return this.#process.stop();
  }
}
