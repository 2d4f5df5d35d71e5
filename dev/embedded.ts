import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectToSupervisor } from './client-socket.js';
import { TryAgain, openSession, type EmbeddedSession } from './embedded-session.js';
import { entryPoint } from './entry-point.js';
import { EmbeddedServerError } from './errors.js';
import { endProcess } from './guarded-process.js';
import { tryHomeLock } from './home-lock.js';
import { findHome, openHome, type Home } from './home.js';
import { launchSupervisor, type LaunchedSupervisor } from './launch-supervisor.js';
import { isAlive, startToken } from './process-identity.js';
import { ProcessRecords } from './process-records.js';
import { encode, type EmbeddedSettings, type WorkerNeed } from './protocol.js';
import type { SupervisorTiming } from './supervisor-timing.js';
import { findTemporalCli } from './temporal-cli.js';

export {
  EmbeddedServerError,
  HomeConflictError,
  MissingBinaryError,
  SupervisorVersionError,
} from './errors.js';
export type { EmbeddedSession, SessionEvent } from './embedded-session.js';
export type { EmbeddedSettings, StopCause, WorkerNeed } from './protocol.js';

export interface EmbeddedOptions {
  /** `LONGHAUL_HOME`; created if missing. */
  readonly home: string;
  /** `none`: the server only. */
  readonly need: WorkerNeed;
  /** Unset means no opinion. A command that uses the provider says which, defaults included. */
  readonly settings: EmbeddedSettings;
  readonly env: NodeJS.ProcessEnv;
  /** Receives one line at a time, without a line break. */
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** A script to run as the worker instead of Longhaul's own. */
  readonly workerEntry?: string;
  readonly timing?: Partial<SupervisorTiming>;
}

/** Longer than a stopping supervisor may take, whose end has to be awaited. */
const CONNECT_TIMEOUT_MS = 60_000;
/** Longer than a supervisor takes to drain its worker and stop its server: one that takes more has hung. */
const STOP_PATIENCE_MS = 45_000;
const SAY_SO_AFTER_MS = 1_000;

/**
 * Connects to the embedded server of a home, and starts it first if it does not run.
 * @throws HomeConflictError if the home belongs to another provider origin or store (wrong use),
 * SupervisorVersionError, MissingBinaryError if there is no Temporal CLI, EmbeddedServerError if server or worker
 * don't start, the signal's reason.
 */
export async function connectEmbedded(options: EmbeddedOptions): Promise<EmbeddedSession> {
  const home = await openHome(options.home);
  const started = Date.now();
  let launched: LaunchedSupervisor | undefined;
  let finding = 0;
  let said = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const session = await tryConnect(home, options.need, options);
    if (session !== undefined) return session;
    if (launched === undefined || launched.exitCode === 0) {
      const before = Date.now();
      const cliPath = await findTemporalCli(options);
      // A build takes minutes, which are not the supervisor's.
      finding += Date.now() - before;
      launched = await launchSupervisor(home, supervisorArguments(cliPath, options), options.env);
    } else if (launched.exitCode !== undefined) {
      throw new EmbeddedServerError(`The supervisor ended at once:\n${await launched.lastWords()}`);
    }
    const waited = Date.now() - started - finding;
    if (waited > CONNECT_TIMEOUT_MS) {
      throw new EmbeddedServerError(
        `The embedded server did not start within ${CONNECT_TIMEOUT_MS / 1000} s. Its log: ${home.supervisorLog}`,
      );
    }
    if (waited > SAY_SO_AFTER_MS && !said) {
      said = true;
      options.onProgress('waiting for the former server of this home to stop');
    }
    await sleep(20);
  }
}

/** Like connectEmbedded, but starts nothing: undefined if the embedded server does not run. */
export async function connectIfRunning(
  options: Omit<EmbeddedOptions, 'need' | 'workerEntry' | 'timing'>,
): Promise<EmbeddedSession | undefined> {
  const home = await findHome(options.home);
  return home && tryConnect(home, 'none', options);
}

/**
 * Stops the embedded server and its worker, batches open or not, and waits until both are gone. Returns whether
 * there was anything to stop. Works with a supervisor of any version, and ends one that does not answer.
 */
export async function stopEmbedded(options: {
  readonly home: string;
  readonly patienceMs?: number;
}): Promise<boolean> {
  const { patienceMs = STOP_PATIENCE_MS } = options;
  const home = await findHome(options.home);
  if (home === undefined) return false;
  let stopped: number | undefined;
  for (let waited = false; ; waited = true) {
    const running = await connectToSupervisor(home);
    if (running !== undefined) {
      // Another command has started a server again meanwhile: that one is not meant.
      if (stopped !== undefined && stopped !== running.pid) {
        running.socket.destroy();
        return true;
      }
      stopped = running.pid;
      await stopSupervisor(running, patienceMs);
    }
    const lock = await tryHomeLock(home);
    if (lock !== undefined) {
      try {
        // A supervisor that was killed has left them, perhaps while it was being told to stop.
        const ended = await new ProcessRecords(home).endLeftovers();
        return waited || stopped !== undefined || ended.length > 0;
      } finally {
        await lock.release();
      }
    }
    // It is just starting or stopping.
    await sleep(25);
  }
}

async function stopSupervisor(
  { socket, pid }: { readonly socket: Socket; readonly pid: number },
  patienceMs: number,
): Promise<void> {
  const start = startToken(pid);
  let closed = false;
  socket.once('close', () => (closed = true));
  socket.resume();
  socket.write(encode({ type: 'stop' }));
  for (const until = Date.now() + patienceMs; !closed || isAlive(pid);) {
    await sleep(10);
    if (Date.now() < until) continue;
    // Its guard and its worker see its end, and end too.
    await endProcess(pid, start, 0);
    socket.destroy();
    return;
  }
}

async function tryConnect(
  home: Home,
  need: WorkerNeed,
  options: Pick<EmbeddedOptions, 'settings' | 'onProgress' | 'signal'>,
): Promise<EmbeddedSession | undefined> {
  const running = await connectToSupervisor(home);
  if (running === undefined) return undefined;
  try {
    return await openSession(running.socket, { type: 'hello', need, settings: options.settings }, options);
  } catch (error) {
    if (error instanceof TryAgain) return undefined;
    throw error;
  }
}

function supervisorArguments(
  cliPath: string,
  options: EmbeddedOptions,
): Parameters<typeof launchSupervisor>[1] {
  return {
    cliPath,
    workerEntry: options.workerEntry === undefined ? entryPoint('../worker/main.js') : [options.workerEntry],
    timing: options.timing ?? {},
  };
}
