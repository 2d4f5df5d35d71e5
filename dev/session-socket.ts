import type { Socket } from 'node:net';
import { readJsonLines } from './json-lines.js';
import {
  encode,
  parseClientMessage,
  speaksOurVersion,
  type ClientMessage,
  type SupervisorMessage,
} from './protocol.js';

/** The supervisor's end of one command's socket. */
export interface SessionSocket {
  send(message: SupervisorMessage): void;
  /** Sends the message as the last one. */
  end(message?: SupervisorMessage): void;
}

export interface SessionHandlers {
  onMessage(message: ClientMessage, session: SessionSocket): void;
  /** The command is gone, however it went. */
  onGone(session: SessionSocket): void;
}

export function serveSession(socket: Socket, handlers: SessionHandlers): void {
  const session: SessionSocket = {
    send: (message) => void (socket.writable && socket.write(encode(message))),
    end: (message) => void (message === undefined ? socket.end() : socket.end(encode(message))),
  };
  // A command killed in mid-write resets the connection; `close` follows.
  socket.on('error', () => socket.destroy());
  socket.once('close', () => handlers.onGone(session));
  readJsonLines(socket, (value) => {
    const message = parseClientMessage(value);
    // `stop` is the way out of a version mismatch, so it works across versions.
    if (message?.type !== 'stop' && !speaksOurVersion(value)) {
      session.end({
        type: 'refused',
        reason: 'version',
        message: 'the server of this home was started by another version of Longhaul',
      });
    } else if (message === undefined) {
      socket.destroy();
    } else {
      handlers.onMessage(message, session);
    }
  });
}
