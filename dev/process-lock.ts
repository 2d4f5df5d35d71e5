import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors.js';
import { isAlive, startToken } from './process-identity.js';

/**
 * A lock between processes that dies with its holder.
 *
 * The lock is a folder. Each contender creates an entry of its own and *then* looks: it holds the lock if no other
 * living entry is there, else it removes its own and tries again. Of two contenders at least the one that looks
 * last sees the other, so there are never two holders; and an entry's name is never used twice, so removing a
 * dead one can't hit a living one (with a single lock file, taking over a dead holder's lock has that race).
 * The name says who holds it: host, process id and start token, so that a reused process id is not taken for it.
 */
export interface ProcessLock {
  /** Resolves when it is noticed that the folder was removed under the holder: another may have the lock by now. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

interface Entry {
  readonly host: string;
  readonly pid: number;
  readonly start: string;
}

/** A holder on another host (a shared volume) can't be asked whether it lives: it touches its entry instead. */
const TOUCH_EVERY_MS = 2_000;
const FOREIGN_DEAD_AFTER_MS = 30_000;

/** Ends the name of every lock's folder. */
const LOCK_SUFFIX = '.lock';

const ENTRY = /^held_(?<host>[A-Za-z0-9-]+)_(?<pid>\d+)_(?<start>[A-Za-z0-9]+)_[0-9a-f]{16}$/;

/** Takes the lock, or returns undefined if somebody alive has it (or is just trying to get it). */
export async function tryLock(folder: string): Promise<ProcessLock | undefined> {
  const name = ownEntryName();
  const path = join(folder, name);
  await makeEntry(folder, path);
  try {
    for (const other of await readdir(folder)) {
      if (other !== name && (await holds(folder, other))) {
        await rm(path, { force: true });
        return undefined;
      }
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return heldLock(folder, path);
}

async function makeEntry(folder: string, path: string): Promise<void> {
  for (;;) {
    await makeFolder(folder);
    try {
      await (await open(path, 'wx', 0o600)).close();
      return;
    } catch (error) {
      // A holder that let go has just taken the folder away.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** A recursive mkdir says ENOENT for a read-only file system (Node 20), which would be taken for a folder just removed. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') await mkdir(folder, { recursive: true, mode: 0o700 });
    else if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function heldLock(folder: string, path: string): ProcessLock {
  let lose = (): void => undefined;
  const lost = new Promise<void>((resolve) => {
    lose = resolve;
  });
  const touching = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch((error: unknown) => {
      // Any other error says nothing about the entry.
      if (codeOf(error) === 'ENOENT') lose();
    });
  }, TOUCH_EVERY_MS);
  touching.unref();
  return {
    lost,
    async release() {
      clearInterval(touching);
      await rm(path, { force: true });
      // Not if somebody else has an entry in it.
      await rmdir(folder).catch(() => undefined);
    },
  };
}

/** Waits for the lock as long as it takes; `onWait` is called once, if it has to wait at all. */
export async function withLock<T>(
  folder: string,
  options: { signal?: AbortSignal | undefined; onWait?: () => void },
  body: () => Promise<T>,
): Promise<T> {
  let waited = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const lock = await tryLock(folder);
    if (lock !== undefined) {
      try {
        return await body();
      } finally {
        await lock.release();
      }
    }
    // Two contenders can turn each other away; the random part keeps them from doing so for ever.
    await sleep(20 + Math.random() * 80, undefined, { ...(options.signal && { signal: options.signal }) });
    if (!waited) options.onWait?.();
    waited = true;
  }
}

/** Removes the locks in this folder whose holders died, for those that nobody will take again. */
export async function removeDeadLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(LOCK_SUFFIX)) await removeIfDead(join(folder, name));
  }
}

async function removeIfDead(lock: string): Promise<void> {
  try {
    for (const entry of await readdir(lock)) await holds(lock, entry);
    // Not if an entry is left in it.
    await rmdir(lock);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
  }
}

function ownEntryName(): string {
  const start = startToken(process.pid) ?? '0';
  return `held_${hostToken()}_${process.pid}_${start}_${randomBytes(8).toString('hex')}`;
}

function hostToken(): string {
  return hostname().replaceAll(/[^A-Za-z0-9-]/g, '-') || 'localhost';
}

/** Whether this entry's process lives; a dead one's entry is removed on the way. */
async function holds(folder: string, name: string): Promise<boolean> {
  const entry = parseEntry(name);
  if (entry === undefined) return false;
  const path = join(folder, name);
  const alive = entry.host === hostToken() ? livesHere(entry) : await touchedLately(path);
  if (!alive) await rm(path, { force: true });
  return alive;
}

function parseEntry(name: string): Entry | undefined {
  const groups = ENTRY.exec(name)?.groups;
  const { host, pid, start } = groups ?? {};
  if (host === undefined || pid === undefined || start === undefined) return undefined;
  return { host, pid: Number(pid), start };
}

function livesHere(entry: Entry): boolean {
  if (!isAlive(entry.pid)) return false;
  const start = startToken(entry.pid);
  // Without a token on either side the process id alone has to do.
  return start === undefined || entry.start === '0' || start === entry.start;
}

async function touchedLately(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs < FOREIGN_DEAD_AFTER_MS;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
