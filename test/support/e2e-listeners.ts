import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface Listener {
  readonly pid: number;
  /** As the kernel writes it: hexadecimal address and port. */
  readonly local: string;
  readonly isLoopback: boolean;
}

/** TCP sockets on which these processes listen, in either version of IP; Linux only. */
export function tcpListeners(pids: readonly number[]): Listener[] {
  const listening = new Map([...listeningIn('/proc/net/tcp'), ...listeningIn('/proc/net/tcp6')]);
  return pids.flatMap((pid) =>
    socketsOf(pid).flatMap((inode) => {
      const local = listening.get(inode);
      return local === undefined ? [] : [{ pid, local, isLoopback: isLoopback(local) }];
    }),
  );
}

/** proc(5): the fourth column is the state, 0A for LISTEN; the tenth is the inode. */
function listeningIn(table: string): [string, string][] {
  const [, ...rows] = readFileSync(table, 'utf8').trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state]) => state === '0A')
    .map((columns) => [columns[9] ?? '', columns[1] ?? '']);
}

function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

/** Words of four bytes, each in the machine's order: 127.0.0.0/8, ::1, and the former mapped into IPv6. */
function isLoopback(local: string): boolean {
  const [address = ''] = local.split(':');
  return (
    /^[0-9A-F]{6}7F$/.test(address) ||
    /^0{24}01000000$/.test(address) ||
    /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(address)
  );
}
