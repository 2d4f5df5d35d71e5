import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { isRecord, readJson, type Home } from './home.js';
import { runtimeFolder, shortName } from './runtime-folder.js';

/** The kernel takes 108 bytes for a socket's path on Linux, 104 on macOS. */
const MAX_PATH_BYTES = 100;

/** Content of `supervisor.json`. */
export interface SupervisorFile {
  readonly pid: number;
  /** Path of the socket. */
  readonly socket: string;
}

export async function readSupervisorFile(home: Home): Promise<SupervisorFile | undefined> {
  const value = await readJson(home.supervisorFile);
  if (!isRecord(value)) return undefined;
  const { pid, socket } = value;
  return typeof pid === 'number' && typeof socket === 'string' ? { pid, socket } : undefined;
}

/** Listens for commands; only the holder of the home's lock may call it. Returns the server and its path. */
export async function listenForCommands(
  home: Home,
  onSocket: (socket: Socket) => void,
): Promise<{ server: Server; path: string }> {
  const path = await socketPath(home);
  // Left over from a crash: the lock says that nobody listens on it.
  await rm(path, { force: true });
  const server = createServer(onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  // The folder is closed to others already; this is for systems that look at the socket alone.
  await chmod(path, 0o600);
  return { server, path };
}

async function socketPath(home: Home): Promise<string> {
  const path = join(home.folder, 'supervisor.sock');
  if (Buffer.byteLength(path) < MAX_PATH_BYTES) return path;
  return join(await runtimeFolder(), `${shortName(home.folder)}.sock`);
}
