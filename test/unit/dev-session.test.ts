import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  TryAgain,
  openSession,
  type EmbeddedSession,
  type SessionEvent,
} from '../../dev/embedded-session.js';
import { EmbeddedServerError, HomeConflictError, SupervisorVersionError } from '../../dev/errors.js';
import { encode, type SupervisorMessage } from '../../dev/protocol.js';
import { RELEASE } from '../../dev/release.js';

const WELCOME: SupervisorMessage = {
  type: 'welcome',
  address: '127.0.0.1:7233',
  namespace: 'default',
  uiUrl: 'http://127.0.0.1:8233',
  serverPid: 11,
  workerPid: 12,
  hasKey: true,
};

let folder: string;
let server: Server;
let received: string;
let supervisor: Socket | undefined;
/** What the other side does when it hears the hello. */
let answer: (socket: Socket) => void;
const lines: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-session-'));
  received = '';
  lines.length = 0;
  server = createServer((socket) => {
    supervisor = socket;
    socket.on('data', (data) => {
      const first = received === '';
      received += data.toString();
      if (first) answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
});
afterEach(async () => {
  supervisor?.destroy();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

function open(signal?: AbortSignal): Promise<EmbeddedSession> {
  const socket = connect(join(folder, 's'));
  const hello = { type: 'hello', need: 'full', settings: {} } as const;
  return openSession(socket, hello, { onProgress: (line) => void lines.push(line), signal });
}

const say =
  (...messages: SupervisorMessage[]) =>
  (socket: Socket): void =>
    void socket.write(messages.map(encode).join(''));

it('is open once the supervisor says welcome, and shows its progress until then', async () => {
  answer = say({ type: 'accepted', pid: 10 }, { type: 'progress', line: 'starting' }, WELCOME);
  const session = await open();
  expect(session).toMatchObject({
    address: '127.0.0.1:7233',
    supervisorPid: 10,
    serverPid: 11,
    workerPid: 12,
  });
  expect(lines).toEqual(['starting']);
  expect(JSON.parse(received)).toEqual({ v: RELEASE, type: 'hello', need: 'full', settings: {} });
  await session.close();
});

it('tells what happens to server and worker, and follows their process ids', async () => {
  answer = say({ type: 'accepted', pid: 10 }, WELCOME);
  const session = await open();
  const events: SessionEvent[] = [];
  const lost = new Promise<void>((resolve) => {
    session.onEvent((event) => {
      events.push(event);
      if (event.type === 'worker-exited') expect(session.workerPid).toBeUndefined();
      if (event.type === 'lost') resolve();
    });
  });
  const told: SessionEvent[] = [
    { type: 'worker-exited', message: 'SIGKILL' },
    { type: 'worker-restarted', pid: 22 },
    { type: 'server-exited', message: 'SIGKILL' },
    { type: 'server-restarted', pid: 21 },
  ];
  for (const event of told) if (event.type !== 'lost') supervisor?.write(encode(event));
  supervisor?.end();
  await lost;
  expect(events.slice(0, 4)).toEqual(told);
  expect(session).toMatchObject({ serverPid: 21, workerPid: 22 });
});

it('turns refusals into errors that say what kind they are', async () => {
  for (const [reason, kind] of [
    ['conflict', HomeConflictError],
    ['failed', EmbeddedServerError],
    ['version', SupervisorVersionError],
    ['stopping', TryAgain],
  ] as const) {
    received = '';
    answer = say({ type: 'refused', reason, message: 'because' });
    await expect(open()).rejects.toBeInstanceOf(kind);
  }
});

it('names `longhaul stop` when the supervisor speaks another version', async () => {
  answer = (socket) => void socket.write('{"v":"99.0.0","type":"greetings"}\n');
  const error = await open().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SupervisorVersionError);
  expect(String(error)).toContain('longhaul stop');
});

it('asks to try again when the supervisor goes before it answers', async () => {
  answer = (socket) => void socket.destroy();
  await expect(open()).rejects.toBeInstanceOf(TryAgain);
});

it('takes a line that is not JSON for the end of the connection', async () => {
  answer = (socket) => void socket.write('hello yourself\n');
  await expect(open()).rejects.toBeInstanceOf(TryAgain);
});

it('stops waiting when aborted', async () => {
  const aborting = new AbortController();
  answer = () => aborting.abort(new Error('enough'));
  await expect(open(aborting.signal)).rejects.toThrow('enough');
});

it('has detached only when the supervisor has noted it', async () => {
  answer = say({ type: 'accepted', pid: 10 }, WELCOME);
  const session = await open();
  received = '';
  answer = say({ type: 'detached' });
  await session.detach();
  expect(JSON.parse(received)).toEqual({ v: RELEASE, type: 'detach' });
  received = '';
  answer = (socket) => void socket.destroy();
  await expect(session.detach()).rejects.toThrow('nothing runs in the background');
});
