import { connect, type Socket } from 'node:net';
import type { Home } from './home.js';
import { readSupervisorFile } from './supervisor-socket.js';

/** A connection to the supervisor that serves a home, or undefined if none does (any more, yet). */
export async function connectToSupervisor(home: Home): Promise<{ socket: Socket; pid: number } | undefined> {
  const file = await readSupervisorFile(home);
  if (file === undefined) return undefined;
  const socket = await connectTo(file.socket);
  return socket && { socket, pid: file.pid };
}

function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const refused = (): void => resolve(undefined);
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      // Later errors are followed by `close`, which is what the owner watches.
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}
