import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { withLock } from './process-lock.js';

/** How the caller hears of slow steps and stops them. */
export interface FindOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Receives one line at a time, without a line break. */
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where binaries are kept: `LONGHAUL_CACHE`, else the user's cache folder. Never inside a checkout. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env['LONGHAUL_CACHE']) return resolve(env['LONGHAUL_CACHE']);
  if (env['XDG_CACHE_HOME']) return join(resolve(env['XDG_CACHE_HOME']), 'longhaul');
  return join(env['HOME'] ?? homedir(), '.cache', 'longhaul');
}

/** A folder of the cache that holds one version of one tool, for one kind of machine (homes are shared over NFS). */
export function cacheSlot(env: NodeJS.ProcessEnv, tool: string, version: string): string {
  return join(cacheFolder(env), tool, `${version}-${process.platform}-${process.arch}`);
}

/**
 * Fills a slot once: `fill` writes into a temporary folder beside it, which then takes the slot's name, so a slot
 * is complete or absent. Two processes that want the same slot do the work once. `isGood` judges what stands there.
 */
export async function fillSlot(
  slot: string,
  options: FindOptions,
  isGood: () => Promise<boolean>,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(slot), { recursive: true });
  const onWait = (): void => options.onProgress(`another process is preparing ${slot}; waiting for it`);
  await withLock(`${slot}.lock`, { signal: options.signal, onWait }, async () => {
    if (await isGood()) return;
    const folder = await mkdtemp(`${slot}.tmp-`);
    try {
      await fill(folder);
      // What stands there was found unusable just now.
      await rm(slot, { recursive: true, force: true });
      await rename(folder, slot);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Whether a file is there and may be executed. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
