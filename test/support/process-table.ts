import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface ListedProcess {
  readonly pid: number;
  readonly command: string;
  /** The command line and, on Linux, the environment that it was started with. */
  readonly text: string;
}

/** Every process of this machine, detached and orphaned ones too, which no parent knows any more. */
export function allProcesses(): ListedProcess[] {
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

/** Variables and values with which a process was started; Linux only. */
export function environmentOf(pid: number): string {
  return procText(String(pid), 'environ');
}

/** Empty when the process has just gone or belongs to somebody else. */
function procText(pid: string, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function processesByPs(): ListedProcess[] {
  const table = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.+)$/.exec(line) ?? [];
    return pid === undefined || command === undefined ? [] : [{ pid: Number(pid), command, text: command }];
  });
}
