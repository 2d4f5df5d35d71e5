import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pidsOf, sigkill } from '../support/e2e-processes.js';
import type { Role } from '../support/e2e-processes.js';
import { ChaosBatch } from './chaos-batch.js';
import { expectKept } from './verdict.js';
import type { Creates, Legacy } from './verdict.js';

/** How long kills go on; then the batch may end. */
const KILLING_MS = 20_000;
const LONGEST_PEACE_MS = 2_500;
const ROLES: readonly Role[] = ['worker', 'server', 'cli', 'supervisor', 'guard'];

/** Kills whatever the seed says, whenever it says so; then the batch must end as if nothing had been. */
export async function runRandomKills(seed: string, undisturbed: Legacy): Promise<Creates> {
  const batch = await ChaosBatch.alone('answered');
  try {
    await killAtRandom(batch, randomOf(seed));
    await batch.ended();
    return await expectKept(batch, undisturbed);
  } catch (error) {
    process.stderr.write(`at random, seed ${seed}:\n${await batch.situation()}\n`);
    throw error;
  } finally {
    await batch.remove();
  }
}

/** One process at a time, or all of them; whoever waits starts the command again when it is gone. */
async function killAtRandom(batch: ChaosBatch, random: () => number): Promise<void> {
  const until = Date.now() + KILLING_MS;
  while (Date.now() < until) {
    if (batch.commands.every(({ running }) => !running)) batch.again();
    // Not a wait for something: the random moment is the point of it.
    await sleep(random() * LONGEST_PEACE_MS);
    const role = ROLES[Math.floor(random() * (ROLES.length + 1))];
    if (role === undefined) batch.home.killAll();
    else for (const pid of pidsOf(batch.home.path, role)) sigkill(pid);
  }
  // One that still runs may be giving up just now: its exit code is not the last word.
  for (const command of batch.commands) command.kill();
  await Promise.all(batch.commands.map(({ ended }) => ended));
  batch.again();
}

/** Numbers in [0, 1) that follow from the seed alone. */
function randomOf(seed: string): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${seed}#${drawn}`).digest().readUInt32BE() / 2 ** 32;
  };
}
