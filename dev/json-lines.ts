import type { Socket } from 'node:net';

/** No message comes near this; whoever sends more is not one of us. */
const MAX_LINE_CHARACTERS = 1024 * 1024;

/** Calls `onValue` for each JSON line of a socket. A line that is not JSON, or is endless, destroys the socket. */
export function readJsonLines(socket: Socket, onValue: (value: unknown) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) socket.destroy();
    for (const line of lines) {
      if (socket.destroyed) return;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        socket.destroy();
        return;
      }
      onValue(value);
    }
  });
}
