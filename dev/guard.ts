import { spawn } from 'node:child_process';

/**
 * A tiny process between the supervisor and a program that does not know about supervisors: whatever ends the
 * supervisor, SIGKILL included, closes the IPC channel, and then the guard ends the program.
 * Arguments: grace in milliseconds between SIGTERM and SIGKILL, the program, its arguments.
 */
const [grace = '5000', file = '', ...args] = process.argv.slice(2);

// What the program creates, its database above all, is for this user alone.
process.umask(0o077);

const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });

function report(message: object): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

let stopping = false;
function stop(): void {
  if (stopping) return;
  stopping = true;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), Number(grace));
}

function leave(message: object): void {
  report(message);
  if (process.connected) process.disconnect();
  // A timer of `stop` must not keep the guard: its end is what the supervisor waits for.
  process.exitCode = 0;
  setImmediate(() => process.exit());
}

process.on('disconnect', stop);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
child.once('spawn', () => report({ type: 'spawned', pid: child.pid }));
child.once('error', (error) => leave({ type: 'exited', code: null, signal: null, error: error.message }));
child.once('exit', (code, signal) => leave({ type: 'exited', code, signal }));
