import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { readServerFile } from '../../storage/home-files.js';
import { formatFileUri } from '../../storage/uri.js';
import { Command } from './e2e-command.js';
import { E2eHome } from './e2e-home.js';
import type { HomeOptions } from './e2e-home.js';
import { pidOf, processesOfHome } from './e2e-processes.js';
import { questions, writeRows } from './e2e-rows.js';

export const ONCE_ROWS = questions(120);

/** Crashes are noticed when heartbeats stay away, and many homes share a machine. */
export const ONCE_TIMEOUT_MS = 170_000;

/** A home of its own for what a test does, gone after it whatever happened. */
export async function withOnceHome(
  options: HomeOptions,
  work: (home: E2eHome, input: string) => Promise<void>,
): Promise<void> {
  const home = await E2eHome.create(options);
  try {
    await work(home, await writeRows(join(home.folder, 'questions.jsonl'), ONCE_ROWS));
  } finally {
    await home.remove();
  }
}

/** Every process of the home, as when the machine loses its power. */
export async function powerCut(home: E2eHome): Promise<void> {
  await vi.waitFor(() => {
    home.killAll();
    expect(processesOfHome(home.path)).toEqual([]);
  });
}

/** A run that was cut off when its job had just been made and nobody had been told. */
export async function cutOffAfterCreate(home: E2eHome, input: string, batchId: string): Promise<void> {
  await home.emulator.setFaults({ route: 'createJob', nth: 1, fault: { type: 'hold', when: 'after' } });
  const command = home.run(input, batchId);
  await home.emulator.waitFor('createJob', { until: 'effect' });
  await powerCut(home);
  await command.exits('SIGKILL');
}

/** Temporal's database is gone; the store stays. */
export async function loseTemporal(home: E2eHome): Promise<void> {
  const databases = (await readdir(home.path)).filter((name) => name.startsWith('temporal.db'));
  expect(databases).not.toEqual([]);
  for (const name of databases) await rm(join(home.path, name));
}

/** The store is gone; Temporal stays. */
export async function loseStore(home: E2eHome): Promise<void> {
  await rm(join(home.path, 'store'), { recursive: true });
}

/** A second worker process on the queues of a home's server, with a scratch folder of its own. */
export async function secondWorker(home: E2eHome): Promise<Command> {
  const server = await readServerFile(home.path);
  const worker = new Command(['worker'], {
    cwd: home.folder,
    env: {
      ...home.env,
      TEMPORAL_ADDRESS: server?.address ?? '',
      TEMPORAL_NAMESPACE: server?.namespace ?? '',
      LONGHAUL_HOME: join(home.folder, 'second'),
      LONGHAUL_STORE: formatFileUri(join(home.path, 'store')),
      LONGHAUL_FILE_ROOTS: home.folder,
    },
  });
  await vi.waitFor(() => expect(worker.stderr + worker.stdout).toContain('worker is polling'), {
    timeout: 60_000,
    interval: 100,
  });
  return worker;
}

/** Stops the home's worker as a suspended machine does: its connections stay, nothing moves. Returns what wakes it. */
export async function suspendWorker(home: E2eHome): Promise<() => void> {
  const pid = await pidOf(home.path, 'worker');
  process.kill(pid, 'SIGSTOP');
  return () => process.kill(pid, 'SIGCONT');
}
