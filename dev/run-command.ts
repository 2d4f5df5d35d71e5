import { spawn } from 'node:child_process';

export interface CommandResult {
  /** Exit code; -1 when a signal or the time limit ended the command. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds after which the command is killed. */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Only the end of an output is ever shown or parsed; a chatty build must not fill memory. */
const KEPT_CHARACTERS = 64 * 1024;

/**
 * Runs a command to its end without a shell, stdin closed, and never throws for what the command did.
 * @throws Node's spawn error (ENOENT, EACCES, …) and the signal's abort reason.
 */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const child = spawn(file, args, {
      env: options.env,
      cwd: options.cwd,
      timeout: options.timeout,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS);
    });
    const abort = (): void => void child.kill('SIGTERM');
    options.signal?.addEventListener('abort', abort, { once: true });
    const settle = (end: () => void): void => {
      options.signal?.removeEventListener('abort', abort);
      end();
    };
    child.once('error', (error) => settle(() => reject(error)));
    child.once('close', (code) =>
      settle(() => {
        if (options.signal?.aborted === true) reject(abortReason(options.signal));
        else resolve({ code: code ?? -1, stdout, stderr });
      }),
    );
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}

/** The last lines of an output, for an error message. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
