import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RotatingLog } from '../../dev/rotating-log.js';
import { WorkerKeeper } from '../../dev/worker-keeper.js';

/** Is ready at once, and takes a moment to drain. */
const WORKER = `
process.on('SIGTERM', () => setTimeout(() => process.exit(), 300));
process.on('disconnect', () => process.exit());
process.send({ type: 'ready' });
`;

let folder: string;
let keeper: WorkerKeeper;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-keeper-'));
  const entry = join(folder, 'worker.mjs');
  await writeFile(entry, WORKER);
  keeper = new WorkerKeeper({
    entry: [entry],
    baseEnv: process.env,
    log: new RotatingLog(join(folder, 'worker.log')),
    readyTimeoutMs: 30_000,
    drainMs: 10_000,
    onSpawn: () => undefined,
    onExit: () => undefined,
    onRestart: () => undefined,
  });
});
afterEach(async () => {
  await keeper.stop();
  await rm(folder, { recursive: true, force: true });
});

it('is not ready for anybody while the former worker drains', async () => {
  await keeper.ensure({ role: 'full', env: { KEY: '1' } });
  const former = keeper.pid;
  expect(former).toBeDefined();
  const next = { role: 'full', env: { KEY: '2' } } as const;
  const first = keeper.ensure(next);
  expect(keeper.pid).toBeUndefined();
  // A second command that asks for the same one.
  await keeper.ensure({ ...next, env: { ...next.env } });
  expect(keeper.pid).toBeDefined();
  expect(keeper.pid).not.toBe(former);
  await first;
});
