import { once } from 'node:events';
import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { isAlive } from '../../dev/process-identity.js';
import { readServerFile } from '../../storage/home-files.js';
import { DevHomes, allGone, guardOf, nextEvent, processesOf } from '../support/dev-homes.js';

let homes: DevHomes;
beforeEach(async () => {
  homes = await DevHomes.create();
});
afterEach(() => homes.remove());

it('lets two commands that start at once share one server, made to last', async () => {
  const [one, two] = await Promise.all([homes.startCommand(), homes.startCommand()]);
  expect(one.pids).toEqual(two.pids);
  const session = await homes.connect();
  expect(session.serverPid).toBe(one.pids.serverPid);
  expect(await homes.workerLives()).toEqual([
    { pid: one.pids.workerPid, role: 'full', address: session.address },
  ]);

  expect(JSON.parse(await readFile(join(homes.home, 'server.json'), 'utf8'))).toEqual({
    address: session.address,
    namespace: 'default',
    uiUrl: session.uiUrl,
  });
  expect((await fetch(session.uiUrl)).status).toBe(200);
  expect((await stat(homes.home)).mode & 0o777).toBe(0o700);
  expect((await stat(join(homes.home, 'supervisor.sock'))).mode & 0o777).toBe(0o600);
  expect(
    await homes.temporal(session, 'operator', 'namespace', 'describe', '--namespace', 'default'),
  ).toContain(`"workflowExecutionRetentionTtl": "${90 * 86_400}s"`);
  const attributes: unknown = JSON.parse(
    await homes.temporal(session, 'operator', 'search-attribute', 'list'),
  );
  expect(attributes).toMatchObject({
    customAttributes: {
      LonghaulPhase: 'INDEXED_VALUE_TYPE_KEYWORD',
      LonghaulRowsFailed: 'INDEXED_VALUE_TYPE_INT',
    },
  });
});

it('ends everything a few seconds after the last command was killed', async () => {
  const { child, pids } = await homes.startCommand();
  const processes = processesOf(pids);
  child.kill('SIGKILL');
  await allGone(processes);
  expect(await readServerFile(homes.home)).toBeNull();
  expect((await homes.workerLives()).at(-1)).toEqual({ pid: pids.workerPid, drained: true });
});

it('starts another supervisor when the first one is killed while Temporal starts', async () => {
  const connecting = homes.connect();
  const pid = await vi.waitFor(
    async () => {
      const file: unknown = JSON.parse(await readFile(join(homes.home, 'supervisor.json'), 'utf8'));
      return (file as { pid: number }).pid;
    },
    { timeout: 10_000, interval: 5 },
  );
  process.kill(pid, 'SIGKILL');
  const session = await connecting;
  expect(session.supervisorPid).not.toBe(pid);
  expect((await fetch(session.uiUrl)).status).toBe(200);
});

it('leaves no orphan when the supervisor is killed, and starts again on the same data', async () => {
  const session = await homes.connect();
  const processes = processesOf(session);
  await homes.startBatch(session, 'kept');
  const lost = nextEvent(session, 'lost');
  process.kill(session.supervisorPid, 'SIGKILL');
  await lost;
  await allGone(processes);
  expect(await homes.statusOfBatch(await homes.connect(), 'kept')).toBe('RUNNING');
});

it('never runs two servers on one database, not even after supervisor and guard were killed', async () => {
  const session = await homes.connect();
  const left = session.serverPid;
  const guard = guardOf(left);
  const lost = nextEvent(session, 'lost');
  // Halted first, so that it can't see the supervisor's end.
  process.kill(guard, 'SIGSTOP');
  process.kill(session.supervisorPid, 'SIGKILL');
  process.kill(guard, 'SIGKILL');
  await lost;
  expect(isAlive(left)).toBe(true);
  const next = await homes.connect();
  expect(isAlive(left)).toBe(false);
  expect(next.serverPid).not.toBe(left);
  await homes.startBatch(next, 'after');
});

it('ends what a crash left running when it is told to stop', async () => {
  const session = await homes.connect();
  const guard = guardOf(session.serverPid);
  const lost = nextEvent(session, 'lost');
  process.kill(guard, 'SIGSTOP');
  process.kill(session.supervisorPid, 'SIGKILL');
  process.kill(guard, 'SIGKILL');
  await lost;
  expect(await homes.dev.stopEmbedded({ home: homes.home })).toBe(true);
  expect(isAlive(session.serverPid)).toBe(false);
});

it('starts a killed server again on its ports and its data', async () => {
  const session = await homes.connect();
  const worker = session.workerPid;
  await homes.startBatch(session, 'kept');
  for (const victim of ['server', 'guard']) {
    const before = session.serverPid;
    const restarted = nextEvent(session, 'server-restarted');
    process.kill(victim === 'server' ? before : guardOf(before), 'SIGKILL');
    expect((await restarted).pid).not.toBe(before);
    expect(isAlive(before)).toBe(false);
    expect(await homes.statusOfBatch(session, 'kept')).toBe('RUNNING');
  }
  expect(session.workerPid).toBe(worker);
});

it('goes on in the background after a detach until no batch is open', async () => {
  const { env, calls } = await homes.watchedCli();
  const session = await homes.connect({ env });
  const processes = processesOf(session);
  await homes.startBatch(session, 'open');
  await session.detach();
  await session.close();
  // Another command comes and goes, without a say in it.
  const visitor = await homes.connect({ need: 'none' });
  expect(visitor.serverPid).toBe(session.serverPid);
  await visitor.close();
  await vi.waitFor(
    async () => {
      const looks = (await calls()).filter((call) => call.startsWith('workflow count'));
      expect(looks.length).toBeGreaterThan(3);
    },
    { timeout: 15_000 },
  );
  expect(processes.filter(isAlive)).toEqual(processes);
  await homes.temporal(visitor, 'workflow', 'terminate', '--workflow-id', 'open');
  await allGone(processes);
});

it('stops at once on request, in the background too', async () => {
  const session = await homes.connect();
  const processes = processesOf(session);
  await homes.startBatch(session, 'open');
  await session.detach();
  const stopping = nextEvent(session, 'stopping');
  expect(await homes.dev.stopEmbedded({ home: homes.home })).toBe(true);
  expect((await stopping).message).toContain('longhaul stop');
  expect(processes.filter(isAlive)).toEqual([]);
  expect(await homes.dev.stopEmbedded({ home: homes.home })).toBe(false);
  const asking = { home: homes.home, settings: {}, env: process.env, onProgress: () => undefined };
  expect(await homes.dev.connectIfRunning(asking)).toBeUndefined();
});

it('is stopped even when it hangs', async () => {
  const session = await homes.connect();
  const processes = processesOf(session);
  process.kill(session.supervisorPid, 'SIGSTOP');
  expect(await homes.dev.stopEmbedded({ home: homes.home, patienceMs: 500 })).toBe(true);
  await allGone(processes);
});

it('gives two homes different ports, and an overlong home a socket elsewhere', async () => {
  const first = await homes.connect();
  const long = homes.otherHome('x'.repeat(120));
  await mkdir(long);
  const second = await homes.connect({ home: long });
  expect(second.address).not.toBe(first.address);
  expect(second.uiUrl).not.toBe(first.uiUrl);
  expect(await readdir(long)).not.toContain('supervisor.sock');
  expect(isAlive(first.serverPid) && isAlive(second.serverPid)).toBe(true);
});

it('starts no worker for a command that needs the server only', async () => {
  const session = await homes.connect({ need: 'none' });
  expect(session.workerPid).toBeUndefined();
  expect(await readdir(homes.home)).not.toContain('lives');
  // A bare connection, such as the one that another supervisor probes with, changes nothing.
  const probe = createConnection(join(homes.home, 'supervisor.sock'));
  await once(probe, 'connect');
  probe.destroy();
  await session.close();
  await allGone([session.supervisorPid, session.serverPid]);
});

it('ends when its home is removed, and lets a new one at the same place wait for that', async () => {
  const session = await homes.connect();
  const processes = processesOf(session);
  await homes.startBatch(session, 'forgotten');
  await session.detach();
  await session.close();
  await rm(homes.home, { recursive: true });
  const next = await homes.connect();
  expect(processes.filter(isAlive)).toEqual([]);
  expect((await readServerFile(homes.home))?.address).toBe(next.address);
});
