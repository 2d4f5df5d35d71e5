import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryPoint } from './entry-point.js';
import { messageOf } from './errors.js';
import { isRecord } from './home.js';
import { isAlive, startToken } from './process-identity.js';

const KILL_WAIT_MS = 10_000;

export interface ProcessEnd {
  /** A phrase for messages. */
  readonly how: string;
  /** A signal ended the program or its guard: nothing that it decided itself. */
  readonly killed: boolean;
}

/** The program, or its guard, ended before it ran. */
export class NotStartedError extends Error {
  override readonly name = 'NotStartedError';
  readonly end: ProcessEnd;

  constructor(file: string, end: ProcessEnd) {
    super(`${file} did not start: ${end.how}`);
    this.end = end;
  }
}

export interface GuardedProcess {
  readonly pid: number;
  /** Resolves once the program is gone, and its guard too. */
  readonly exited: Promise<ProcessEnd>;
  /** Ends the program (SIGTERM, SIGKILL after the grace) and waits for it. */
  stop(): Promise<void>;
}

export interface GuardedOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly grace: number;
  readonly onOutput: (text: string) => void;
}

/**
 * Starts a program under a guard (see guard.ts), so that it can't outlive this process.
 * @throws NotStartedError.
 */
export function startGuarded(options: GuardedOptions): Promise<GuardedProcess> {
  const { grace, file } = options;
  const args = [...entryPoint('../dev/guard.js'), String(grace), file, ...options.args];
  const guard = spawn(process.execPath, args, {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [guard.stdout, guard.stderr]) {
    stream?.setEncoding('utf8').on('data', options.onOutput);
  }
  return new Promise((resolve, reject) => {
    let pid: number | undefined;
    let start: string | undefined;
    let end: ProcessEnd | undefined;
    const exited = new Promise<ProcessEnd>((settle) => {
      guard.once('exit', (code, signal) => {
        const gone = pid === undefined ? Promise.resolve() : endProcess(pid, start, 0);
        // The guard was killed: the program may well live on.
        const how = `its guard ended (${signal ?? `exit code ${code}`})`;
        void gone.then(() => settle(end ?? { how, killed: signal !== null }));
      });
    });
    guard.on('message', (message) => {
      if (!isRecord(message)) return;
      if (message['type'] === 'spawned' && typeof message['pid'] === 'number') {
        pid = message['pid'];
        start = startToken(pid);
        resolve({ pid, exited, stop: () => stopGuard() });
      } else if (message['type'] === 'exited') {
        end = howItEnded(message);
      }
    });
    guard.once('error', (error) => reject(new Error(`the guard process did not start: ${messageOf(error)}`)));
    void exited.then((early) => reject(new NotStartedError(file, early)));

    const stopGuard = async (): Promise<void> => {
      if (guard.connected) guard.disconnect();
      const timer = setTimeout(() => guard.kill('SIGKILL'), grace + 2_000);
      await exited;
      clearTimeout(timer);
    };
  });
}

function howItEnded({ error, signal, code }: Record<string, unknown>): ProcessEnd {
  if (typeof error === 'string') return { how: error, killed: false };
  if (typeof signal === 'string') return { how: signal, killed: true };
  return { how: `exit code ${String(code)}`, killed: false };
}

/**
 * Ends a process that is not our child, if it is still the one that had this start token: SIGTERM, after `grace`
 * milliseconds SIGKILL; returns when it is gone.
 */
export async function endProcess(pid: number, start: string | undefined, grace: number): Promise<void> {
  const isTheOne = (): boolean => isAlive(pid) && (start === undefined || startToken(pid) === start);
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (isTheOne()) process.kill(pid, signal);
    } catch {
      // It ended in between.
    }
  };
  if (grace > 0) {
    kill('SIGTERM');
    for (const until = Date.now() + grace; isTheOne() && Date.now() < until;) await sleep(25);
  }
  kill('SIGKILL');
  // SIGKILL can't be refused, but waits for an uninterruptible system call; a dead disk must not hang us too.
  for (const until = Date.now() + KILL_WAIT_MS; isTheOne() && Date.now() < until;) await sleep(25);
}
