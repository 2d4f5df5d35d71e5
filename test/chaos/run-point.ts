import { vi } from 'vitest';
import { ChaosBatch, LONE_BATCH } from './chaos-batch.js';
import type { HeldHome } from './chaos-home.js';
import type { HeldHomes } from './held-homes.js';
import type { Point, Story, Victim } from './matrix.js';
import { awaitMoment } from './moment.js';
import type { Moment } from './moment.js';
import { keysOf } from './round-keys.js';
import { expectKept, legacyOf } from './verdict.js';
import type { Creates, Legacy } from './verdict.js';
import { Prey } from './victims.js';

/** How each story ends without a kill: what every disturbed one must come to. */
export type Undisturbed = ReadonlyMap<Story, Legacy>;

export async function runUndisturbed(): Promise<Undisturbed> {
  const [answered, cancelled, again] = await Promise.all([
    undisturbed('answered'),
    undisturbed('cancelled'),
    undisturbed('again'),
  ]);
  return new Map([
    ['answered', answered],
    ['refused', answered],
    ['late', answered],
    ['cancelled', cancelled],
    ['again', again],
  ]);
}

async function undisturbed(story: Story): Promise<Legacy> {
  const batch = await ChaosBatch.alone(story);
  try {
    await batch.prologue();
    await batch.begin();
    await batch.ended();
    const legacy = await legacyOf(batch);
    await expectKept(batch, legacy);
    return legacy;
  } finally {
    await batch.remove();
  }
}

/**
 * One kill, and the end of the batch in spite of it. Where the command lives on, the batch runs in a home that has seen
 * others; where it does not, everything else has to end with it, so the home is its own.
 */
export async function runPoint(point: Point, legacy: Legacy, homes: HeldHomes): Promise<Creates> {
  if (!killsCommand(point.victim)) return homes.lend(point.victim, (home) => runIn(home, point, legacy));
  const batch = await ChaosBatch.alone(point.step.story, firstKey(LONE_BATCH, legacy));
  try {
    return await kill(batch, point, legacy);
  } finally {
    await batch.remove();
  }
}

async function runIn(home: HeldHome, point: Point, legacy: Legacy): Promise<Creates> {
  const id = await home.nextBatchId();
  const { story } = point.step;
  const batch = await ChaosBatch.create(home, { id, story, firstKey: firstKey(id, legacy) });
  return kill(batch, point, legacy);
}

function killsCommand(victim: Victim): boolean {
  return victim === 'command' || victim === 'all';
}

function firstKey(id: string, { inputs }: Legacy): string | undefined {
  return keysOf(id, inputs).get('00000-1');
}

async function kill(batch: ChaosBatch, { step, victim }: Point, legacy: Legacy): Promise<Creates> {
  const byName = keysOf(batch.id, legacy.inputs);
  const keys = new Map([1, 2].map((round) => [round, byName.get(`00000-${round}`) ?? 'none']));
  const prey = new Prey(batch, victim);
  await batch.prologue();
  const moment = await awaitMoment(batch, step.place, keys, prey.kill);
  try {
    const begun = batch.begin();
    await prey.find();
    await begun;
    await moment.reached();
    await prey.gone();
    await goOn(batch, { step, victim }, moment, keys.get(1));
    await batch.ended();
    return await expectKept(batch, legacy, step.story === 'late' ? 1 : 0);
  } catch (error) {
    process.stderr.write(`${step.name} × ${victim}:\n${await batch.situation()}\n`);
    throw error;
  } finally {
    moment.close();
  }
}

async function goOn(
  batch: ChaosBatch,
  { step, victim }: Pick<Point, 'step' | 'victim'>,
  moment: Moment,
  lateKey: string | undefined,
): Promise<void> {
  const again = killsCommand(victim);
  if (again) await batch.left();
  if (step.story !== 'late') {
    await moment.letGo(victim !== 'server');
    if (again) batch.again();
    return;
  }
  if (again) batch.again();
  await vi.waitFor(
    async () => {
      const jobs = await batch.home.emulator.jobs(batch.id);
      if (!jobs.some(({ metadata }) => metadata?.['longhaul_key'] === lateKey))
        throw new Error('no rival yet');
    },
    { timeout: 90_000, interval: 100 },
  );
  await moment.letGo(true);
}
