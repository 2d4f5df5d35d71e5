import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchListEntry } from '../client/types.js';
import { readHomeBinding } from '../dev/home-binding.js';
import { openHome } from '../dev/home.js';
import { tryLock } from '../dev/process-lock.js';
import type { ProcessLock } from '../dev/process-lock.js';
import type { Emulator } from '../emulator/index.js';
import { isLoopback } from './context.js';
import { CliError } from './errors.js';

/** The emulator that `longhaul dev` works with. */
export interface DevEmulator {
  readonly url: string;
  /** False: it ran already, and goes on running. */
  readonly isOwn: boolean;
  close(): Promise<void>;
}

/** A `dev` that was just told to end lets go of the home within this time. */
const LOCK_WITHIN_MS = 2_000;
const PROBE_MS = 2_000;
const LIST_WITHIN_MS = 3_000;

/**
 * The one emulator of a home: the one that the home was last used with if it runs, else a new one, on the same port if
 * it is free, so that the home's batches and other commands find it there.
 * @throws CliError when another `dev` has it
 */
export async function openDevEmulator(path: string): Promise<DevEmulator> {
  const home = await openHome(path);
  const { baseUrl } = await readHomeBinding(home);
  const lock = await takeLock(join(home.folder, 'emulator.lock'));
  if (lock === null) {
    throw new CliError(
      `\`longhaul dev\` runs in ${home.folder} already, and other commands find it there. Stop that one first, or set LONGHAUL_HOME to another folder.`,
    );
  }
  try {
    const bound = baseUrl !== undefined && isLoopback(baseUrl) ? new URL(baseUrl) : null;
    if (bound !== null && (await isEmulator(bound))) {
      return { url: bound.origin, isOwn: false, close: () => lock.release() };
    }
    const emulator = await startOn(Number(bound?.port ?? 0));
    return {
      url: emulator.url,
      isOwn: true,
      close: async () => {
        await emulator.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function takeLock(folder: string): Promise<ProcessLock | null> {
  for (const until = Date.now() + LOCK_WITHIN_MS; ;) {
    const lock = await tryLock(folder);
    if (lock !== undefined) return lock;
    if (Date.now() > until) return null;
    // Two that begin at once turn each other away: the random part keeps them from doing so for ever.
    await sleep(20 + Math.random() * 80);
  }
}

async function startOn(port: number): Promise<Emulator> {
  const { startEmulator } = await import('../emulator/index.js');
  try {
    return await startEmulator({ port });
  } catch (error) {
    if (port === 0) throw error;
    // Something else has it by now.
    return startEmulator();
  }
}

async function isEmulator(url: URL): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/_emulator/faults', url), { signal: AbortSignal.timeout(PROBE_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}

/** What is said when the emulator ends. Its jobs end with it, which no batch can make up for. */
export async function emulatorFarewell(batches: AsyncIterable<BatchListEntry>): Promise<string> {
  const late = sleep(LIST_WITHIN_MS, null, { ref: false });
  const open = await Promise.race([openIds(batches).catch(() => null), late]);
  if (open?.length === 0) return 'Stopping.';
  return [
    `Stopping. ${open === null ? 'Batches may be open.' : `Open batches: ${open.join(', ')}.`}`,
    'The emulator forgets its jobs: answers that were not collected yet are lost. With the next `longhaul dev` their rows',
    'end as output_gone; `longhaul run` as before, with --rebuy-lost, sends them again. A worker that was left in the',
    'background goes on in vain until then; `longhaul stop` ends it.',
  ].join('\n');
}

async function openIds(batches: AsyncIterable<BatchListEntry>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { batchId, closedAt } of batches) {
    // The open ones come first.
    if (closedAt !== null) break;
    ids.push(batchId);
  }
  return ids;
}
