import { expect, vi } from 'vitest';
import { allProcesses } from './process-table.js';

/** What a process of a home is, by what it runs. */
export type Role = 'cli' | 'supervisor' | 'guard' | 'server' | 'worker' | 'other';

export interface HomeProcess {
  readonly pid: number;
  readonly role: Role;
  readonly command: string;
}

/** The processes that have a path of this home in their command line or environment. */
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
    interval: 250,
  });
}

function roleOf(command: string): Role {
  if (command.includes('cli/main.js')) return 'cli';
  if (command.includes('supervisor-main.js')) return 'supervisor';
  // Its command line has the server's in it.
  if (command.includes('dev/guard.js')) return 'guard';
  if (command.includes('server start-dev')) return 'server';
  return /(?:worker\/main\.js|-worker\.mjs)$/.test(command) ? 'worker' : 'other';
}
