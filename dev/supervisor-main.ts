import { setTimeout as sleep } from 'node:timers/promises';
import { sayableMessage } from '../batch/failure-text.js';
import { connectToSupervisor } from './client-socket.js';
import { crashText } from './crash-text.js';
import { removeDeadHomeLocks, tryHomeLock } from './home-lock.js';
import { openHome, type Home } from './home.js';
import type { ProcessLock } from './process-lock.js';
import { parseSupervisorArguments } from './supervisor-arguments.js';
import { Supervisor } from './supervisor.js';

/** Longer than a predecessor may take to drain its worker and stop its server. */
const LOCK_TIMEOUT_MS = 60_000;

async function main(): Promise<void> {
  const { home: path, ...args } = parseSupervisorArguments(process.argv[2]);
  const home = await openHome(path);
  const lock = await takeHome(home);
  // Several commands that start at once each start a supervisor; one of them wins and serves all.
  if (lock === undefined) return;
  try {
    await removeDeadHomeLocks(home);
    const supervisor = new Supervisor({ ...args, home, env: process.env });
    void lock.lost.then(() => supervisor.stop('the home was removed', 'home-removed'));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => void supervisor.stop(signal, 'asked'));
    }
    const crash = (error: unknown): void => {
      process.stderr.write(`${crashText(error)}\n`);
      process.exitCode = 1;
      void supervisor.stop('an error of the supervisor itself', 'trouble');
    };
    process.on('uncaughtException', crash);
    process.on('unhandledRejection', crash);
    await supervisor.start();
    await supervisor.ended;
  } finally {
    await lock.release();
  }
}

/** The home's lock, or undefined once another supervisor serves this home. Waits while one is stopping. */
async function takeHome(home: Home): Promise<ProcessLock | undefined> {
  for (const until = Date.now() + LOCK_TIMEOUT_MS; Date.now() < until;) {
    const lock = await tryHomeLock(home);
    if (lock !== undefined) return lock;
    const other = await connectToSupervisor(home);
    if (other !== undefined) {
      other.socket.destroy();
      return undefined;
    }
    await sleep(20 + Math.random() * 60);
  }
  throw new Error(`another supervisor holds the home ${home.folder} and does not answer`);
}

main().then(
  // Open handles, such as a client that does not close its side, must not keep a finished supervisor alive.
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? sayableMessage(error) : crashText(error)}\n`);
    process.exit(1);
  },
);
