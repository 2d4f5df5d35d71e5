import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { expect, vi } from 'vitest';

/** What a process of a home is, by what it runs. */
export type Role = 'cli' | 'supervisor' | 'guard' | 'server' | 'worker' | 'other';

export interface HomeProcess {
  readonly pid: number;
  readonly role: Role;
  readonly command: string;
}

/**
 * The processes that have a path of this home in their command line or, on Linux, in their environment: detached and
 * orphaned ones too, which no parent knows any more.
 */
export function processesOfHome(home: string): HomeProcess[] {
  return allProcesses()
    .filter(({ pid, text }) => pid !== process.pid && text.includes(home))
    .map(({ pid, command }) => ({ pid, command, role: roleOf(command) }));
}

export function pidsOf(home: string, role: Role): number[] {
  return processesOfHome(home)
    .filter((found) => found.role === role)
    .map(({ pid }) => pid);
}

/** The one process of a role, as soon as there is one. */
export async function pidOf(home: string, role: Role): Promise<number> {
  return vi.waitFor(
    () => {
      const pids = pidsOf(home, role);
      const [pid] = pids;
      if (pid === undefined || pids.length > 1) throw new Error(`${pids.length} processes are ${role}`);
      return pid;
    },
    { timeout: 15_000, interval: 50 },
  );
}

/** SIGKILL; true if there was such a process. */
export function sigkill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** The supervisor gives a next command some seconds, then drains worker and server. */
const NOBODY_LEFT_MS = 30_000;

export async function expectNoProcess(home: string): Promise<void> {
  await vi.waitFor(() => expect(processesOfHome(home)).toEqual([]), {
    timeout: NOBODY_LEFT_MS,
    interval: 100,
  });
}

function roleOf(command: string): Role {
  if (command.includes('cli/main.js')) return 'cli';
  if (command.includes('supervisor-main.js')) return 'supervisor';
  // Its command line has the server's in it.
  if (command.includes('dev/guard.js')) return 'guard';
  if (command.includes('server start-dev')) return 'server';
  return command.includes('worker/main.js') ? 'worker' : 'other';
}

function allProcesses(): { pid: number; command: string; text: string }[] {
  if (process.platform !== 'linux') return processesByPs();
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const command = procText(name, 'cmdline');
    // Zombies have no command line: they hold nothing any more.
    return command === ''
      ? []
      : [{ pid: Number(name), command, text: `${command} ${procText(name, 'environ')}` }];
  });
}

/** Empty when the process has just gone or belongs to somebody else. */
function procText(pid: string, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function processesByPs(): { pid: number; command: string; text: string }[] {
  const table = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.+)$/.exec(line) ?? [];
    return pid === undefined || command === undefined ? [] : [{ pid: Number(pid), command, text: command }];
  });
}
