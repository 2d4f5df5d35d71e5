import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { holdHome } from '../support/e2e-embedded.js';
import { ChaosBatch } from './chaos-batch.js';
import { Hold } from './holds.js';
import type { RequestPlace } from './matrix.js';
import { keysOf } from './round-keys.js';
import { expectPaidOnce } from './verdict.js';
import type { Legacy } from './verdict.js';
import { Prey } from './victims.js';

const BLIND_WORKER = fileURLToPath(new URL('blind-worker.mjs', import.meta.url));

/**
 * The same kill at the same harness, but with a worker whose provider never lists a job. It pays twice; returns once it
 * is certain that it did, and that the verdict says so.
 */
export async function expectBlindWorkerFound(place: RequestPlace, { inputs }: Legacy): Promise<void> {
  const batch = await ChaosBatch.alone('answered');
  const session = await holdHome(batch.home, { workerEntry: BLIND_WORKER });
  const keys = keysOf(batch.id, inputs);
  const key = keys.get('00000-1') ?? '';
  const hold = new Hold(batch.home.emulator, place, new Map([[1, key]]));
  try {
    await hold.arm();
    const command = batch.run();
    await hold.reached();
    // Only now: the command's settings may be others, and then the worker is started anew.
    const prey = new Prey(batch, 'worker');
    await prey.find();
    prey.kill();
    await hold.letGo(true);
    await command.exits(3);
    const paid = (await batch.home.emulator.jobs(batch.id)).map(({ metadata }) => metadata?.['longhaul_key']);
    expect(paid.filter((other) => other === key)).toHaveLength(2);
    await expect(expectPaidOnce(batch, keys, 0)).rejects.toThrow('jobs paid for');
  } finally {
    await session.close();
    await batch.remove();
  }
}
