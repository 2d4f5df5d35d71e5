import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { codeOf } from './errors.js';

/** Whether a process with this id exists (a zombie counts as gone, as it holds nothing any more). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists, but belongs to somebody else.
    if (codeOf(error) !== 'EPERM') return false;
  }
  return procStat(pid)?.state !== 'Z';
}

/**
 * A token that differs between two processes that had the same id one after the other, or undefined if there is
 * no such process. Linux: the start time in clock ticks since boot; elsewhere: what `ps` says.
 */
export function startToken(pid: number): string | undefined {
  if (process.platform === 'linux') return procStat(pid)?.startTicks;
  const started = ps(pid, 'lstart');
  return started === undefined ? undefined : started.replaceAll(/[^A-Za-z0-9]+/g, '');
}

/** The command line of a process, arguments joined by blanks, or undefined if there is no such process. */
export function commandLine(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'command');
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

function procStat(pid: number): { state: string; startTicks: string } | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the second field is the program's name in brackets and may hold blanks and brackets itself, so
    // fields are counted from the last bracket: state is field 3, starttime field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
