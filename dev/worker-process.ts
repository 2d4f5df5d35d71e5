import { spawn, type ChildProcess } from 'node:child_process';
import { isRecord } from './home.js';
import type { RotatingLog } from './rotating-log.js';

export interface WorkerSpec {
  readonly role: 'full' | 'workflow-only';
  /** Added to the supervisor's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface WorkerEnd {
  /** How it ended, with its own account of it or, where they may tell why, the last lines of its log. */
  readonly message: string;
  readonly wasReady: boolean;
  /** It named a reason itself, which a restart would hardly change. */
  readonly named: boolean;
  readonly uptimeMs: number;
}

export interface WorkerProcessOptions {
  /** Arguments for `process.execPath` that run the worker. */
  readonly entry: readonly string[];
  readonly baseEnv: NodeJS.ProcessEnv;
  readonly log: RotatingLog;
  readonly readyTimeoutMs: number;
  readonly drainMs: number;
}

/** Signals by which a process ends itself: V8 out of memory, a panic of native code. They say why on stderr. */
const OWN_CRASHES = new Set<NodeJS.Signals>(['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGTRAP']);

/**
 * One run of the worker process. Over IPC it says `{type: 'ready'}` when it polls, or `{type: 'failed', message}`
 * before it gives up; it drains on SIGTERM and leaves by itself when the channel closes.
 */
export class WorkerProcess {
  readonly spec: WorkerSpec;
  readonly ready: Promise<void>;
  readonly ended: Promise<WorkerEnd>;
  readonly #child: ChildProcess;
  readonly #drainMs: number;
  #stopping: Promise<void> | undefined;

  constructor(spec: WorkerSpec, options: WorkerProcessOptions) {
    this.spec = spec;
    this.#drainMs = options.drainMs;
    const { log } = options;
    log.forget();
    const child = spawn(process.execPath, [...options.entry], {
      env: { ...options.baseEnv, ...spec.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => log.write(text));

    const startedAt = Date.now();
    let reason: string | undefined;
    let wasReady = false;
    const tooSlow = setTimeout(() => {
      reason = `it was not ready after ${options.readyTimeoutMs / 1000} s`;
      child.kill('SIGKILL');
    }, options.readyTimeoutMs);

    let failed = false;
    this.ready = new Promise((resolve) => {
      child.on('message', (message) => {
        if (!isRecord(message)) return;
        if (message['type'] === 'ready') {
          wasReady = true;
          clearTimeout(tooSlow);
          resolve();
        } else if (message['type'] === 'failed' && typeof message['message'] === 'string') {
          reason = message['message'];
          failed = true;
        }
      });
    });
    this.ended = new Promise((resolve) => {
      const settle = (how: string, why: string): void => {
        clearTimeout(tooSlow);
        const message = why === '' ? how : `${how}: ${why}`;
        resolve({ message, wasReady, named: failed, uptimeMs: Date.now() - startedAt });
      };
      child.once('error', (error) => settle(error.message, ''));
      // `close` comes after the last line of stderr was read, `exit` may come before it.
      child.once('close', (code, signal) => {
        // Whoever kills a worker at work does not ask it first: its last lines are about something else.
        const fromOutside = wasReady && signal !== null && !OWN_CRASHES.has(signal);
        settle(signal ?? `exit code ${code}`, reason ?? (fromOutside ? '' : log.tail));
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Lets it drain (SIGTERM, then SIGKILL) and waits for its end. */
  stop(): Promise<void> {
    // Once only: a second SIGTERM commonly means "at once".
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #drain(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#drainMs);
    await this.ended;
    clearTimeout(timer);
  }
}
