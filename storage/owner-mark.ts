import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names of temporary files and folders carry a mark of the process that made them, so that what a killed
 * process left can be told from what a live one is writing: `<place>-<pid>-<start>-<random>`.
 *
 * The place is where a pid means something: host, boot and pid namespace. A container that comes back with
 * the same host name and again as pid 1 is another place. The start tells two processes apart that had one pid, which
 * a busy machine gives again within minutes, to threads too: clock ticks since boot, or 0 where nobody says it.
 */
const MARK = /^([0-9a-f]{12})-([1-9]\d{0,9})-(?:(\d{1,19})-)?[0-9a-f]{12}$/;

/** Other places can't be asked whether a process lives; what nobody touched for this long is left over. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

let knownPlace: string | undefined;
let ownStart: string | undefined;

export function newOwnerMark(): string {
  ownStart ??= statOf(process.pid)?.start ?? '0';
  return `${place()}-${process.pid}-${ownStart}-${randomBytes(6).toString('hex')}`;
}

/** `modifiedAt`: Unix time in milliseconds of the last sign of life. Text that is no mark is never left over. */
export function isLeftOver(mark: string, modifiedAt: number, now = Date.now()): boolean {
  const parts = MARK.exec(mark);
  if (parts === null) return false;
  if (parts[1] !== place()) return now - modifiedAt > STALE_AFTER_MS;
  const [, , pid, start = '0'] = parts;
  return !isAlive(Number(pid), start);
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to another user. Anything but "no such process" counts as alive.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
  }
  const stat = statOf(pid);
  if (stat === null) return true;
  // A killed process whose parent has not heard of it yet writes nothing any more.
  return stat.state !== 'Z' && (start === '0' || start === stat.start);
}

/** Linux only. proc(5): fields are counted from the last bracket, as a program's name may hold brackets itself. */
function statOf(pid: number): { readonly state: string; readonly start: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state, start] = [fields[0], fields[19]];
    return state === undefined || start === undefined ? null : { state, start };
  } catch {
    return null;
  }
}

function place(): string {
  knownPlace ??= createHash('sha256')
    .update(JSON.stringify([hostname(), bootId(), pidNamespace()]))
    .digest('hex')
    .slice(0, 12);
  return knownPlace;
}

// Linux only; elsewhere the host name alone is the place.
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
