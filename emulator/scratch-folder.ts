import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/**
 * `longhaul-emulator-<place>-<pid>-<random>`: whose folder it is. The place is where a pid means something: host, boot
 * and pid namespace. Containers may share a temporary folder and a host name, and all be pid 1.
 */
const NAME = /^longhaul-emulator-([0-9a-f]{12})-([1-9]\d{0,9})-[A-Za-z0-9]{6}$/u;

/** Makes a folder for one emulator, after those of killed ones are gone: nobody else comes by to remove them. */
export async function makeScratchFolder(parent: string): Promise<string> {
  await removeLeftOver(parent);
  return mkdtemp(join(parent, `longhaul-emulator-${place()}-${process.pid}-`));
}

/** Best effort: what can't be read or removed is in nobody's way. */
async function removeLeftOver(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  await Promise.all(
    names.filter(isLeftOver).map(async (name) => {
      const path = join(parent, name);
      try {
        const entry = await lstat(path);
        // Anybody may make a folder of that name in a temporary folder that is shared.
        if (!entry.isDirectory() || entry.uid !== process.getuid?.()) return;
        await rm(path, { recursive: true, force: true });
      } catch {
        // Another emulator that starts at this moment was faster.
      }
    }),
  );
}

function isLeftOver(name: string): boolean {
  const [, where, pid] = NAME.exec(name) ?? [];
  return where !== undefined && where === place() && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Anything but "no such process" counts as alive: it may belong to another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function place(): string {
  const parts = [
    hostname(),
    // Linux only; elsewhere the host name alone is the place.
    textOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    textOr(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

function textOr(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
