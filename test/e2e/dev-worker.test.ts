import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAlive } from '../../dev/process-identity.js';
import { DevHomes, nextEvent } from '../support/dev-homes.js';

let homes: DevHomes;
beforeEach(async () => {
  homes = await DevHomes.create();
});
afterEach(() => homes.remove());

it.each([
  ['killed from outside', 'SIGKILL', 'SIGKILL'],
  ['that crashed', 'SIGABRT', 'SIGABRT: polling'],
] as const)(
  'starts a worker %s again, and quotes its log only if that may say why',
  async (_how, signal, message) => {
    const session = await homes.connect();
    const killed = session.workerPid ?? 0;
    const exited = nextEvent(session, 'worker-exited');
    const restarted = nextEvent(session, 'worker-restarted');
    process.kill(killed, signal);
    expect((await exited).message).toBe(message);
    expect((await restarted).pid).not.toBe(killed);
    expect(session.workerPid).toBe((await restarted).pid);
  },
);

it('restarts the worker for another key or emulator, never for a command without an opinion', async () => {
  const status = await homes.connect({ need: 'workflow-only' });
  const run = await homes.connect({ settings: { apiKey: 'key-1', baseUrl: 'http://127.0.0.1:4000' } });
  expect(run.workerPid).not.toBe(status.workerPid);
  for (const need of ['workflow-only', 'full', 'none'] as const) {
    expect((await homes.connect({ need })).workerPid).toBe(run.workerPid);
  }
  const looking = await homes.connect({ need: 'workflow-only', settings: { apiKey: 'key-2' } });
  expect(looking.workerPid).toBe(run.workerPid);
  await homes.connect({ settings: { apiKey: 'key-2', baseUrl: 'http://localhost:5000' } });
  const lives = await homes.workerLives();
  expect(lives.map(({ role, apiKey, baseUrl, drained }) => drained ?? [role, apiKey, baseUrl])).toEqual([
    ['workflow-only', undefined, undefined],
    true,
    ['full', 'key-1', 'http://127.0.0.1:4000'],
    true,
    ['full', 'key-2', 'http://localhost:5000'],
  ]);
});

it('writes the key nowhere', async () => {
  const apiKey = 'key-that-must-not-leak';
  await homes.connect({ settings: { apiKey } });
  expect((await homes.workerLives())[0]?.apiKey).toBe(apiKey);
  const files = (await readdir(homes.home)).filter((name) => /\.(json|log|db.*)$/.test(name));
  expect(files).toEqual(
    expect.arrayContaining(['processes.json', 'supervisor.log', 'temporal.db', 'worker.log']),
  );
  for (const name of files) expect(await readFile(join(homes.home, name), 'latin1')).not.toContain(apiKey);
  expect(execFileSync('ps', ['-eo', 'command'], { encoding: 'utf8' })).not.toContain(apiKey);
});

it('refuses another provider or store in one home, for good', async () => {
  const settings = { baseUrl: 'https://api.example.org', storeUri: 'file:///tmp/a' };
  const session = await homes.connect({ settings });
  for (const other of [{ baseUrl: 'https://api.mistral.ai' }, { storeUri: 'file:///tmp/b' }]) {
    const connecting = homes.connect({ settings: other, need: 'workflow-only' });
    await expect(connecting).rejects.toThrow(homes.dev.HomeConflictError);
  }
  expect(isAlive(session.workerPid ?? 0)).toBe(true);
  await homes.dev.stopEmbedded({ home: homes.home });
  const connecting = homes.connect({ settings: { baseUrl: 'https://api.mistral.ai' } });
  await expect(connecting).rejects.toThrow('LONGHAUL_HOME');
  expect(await homes.connect()).toMatchObject(settings);
  expect((await homes.workerLives()).at(-1)?.baseUrl).toBe(settings.baseUrl);
});

it('says why a worker does not start, and lets commands look without one', async () => {
  const settings = { baseUrl: 'https://broken.example.org' };
  await expect(homes.connect({ settings })).rejects.toThrow('no such bucket');
  const lines: string[] = [];
  const onProgress = (line: string): void => void lines.push(line);
  const status = await homes.connect({ settings, need: 'workflow-only', onProgress });
  expect(status.workerPid).toBeUndefined();
  expect(lines.join('\n')).toContain('no such bucket');
});
