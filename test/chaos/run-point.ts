import { vi } from 'vitest';
import { ChaosBatch } from './chaos-batch.js';
import type { Point, Story } from './matrix.js';
import { awaitMoment } from './moment.js';
import type { Moment } from './moment.js';
import { expectKept, legacyOf } from './verdict.js';
import type { Creates, Legacy } from './verdict.js';
import { Prey } from './victims.js';

/** How each story ends without a kill: what every disturbed one must come to. */
export type Undisturbed = ReadonlyMap<Story, Legacy>;

export async function runUndisturbed(): Promise<Undisturbed> {
  const [answered, cancelled] = await Promise.all([undisturbed('answered'), undisturbed('cancelled')]);
  return new Map([
    ['answered', answered],
    ['late', answered],
    ['cancelled', cancelled],
  ]);
}

async function undisturbed(story: Story): Promise<Legacy> {
  const batch = await ChaosBatch.create(story);
  try {
    batch.run();
    if (story === 'cancelled') await batch.cancel();
    await batch.ended();
    const legacy = await legacyOf(batch);
    await expectKept(batch, legacy);
    return legacy;
  } finally {
    await batch.remove();
  }
}

/** One kill, and the end of the batch in spite of it. */
export async function runPoint({ step, victim }: Point, legacy: Legacy): Promise<Creates> {
  const keys = new Map([1, 2].map((round) => [round, legacy.keys.get(`00000-${round}`) ?? 'none']));
  const batch = await ChaosBatch.create(step.story, keys.get(1));
  const prey = new Prey(batch, victim);
  const moment = await awaitMoment(batch, step.place, keys, prey.kill);
  try {
    batch.run();
    await prey.find();
    if (step.story === 'cancelled') await batch.cancel();
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
    await batch.remove();
  }
}

async function goOn(
  batch: ChaosBatch,
  { step, victim }: Pick<Point, 'step' | 'victim'>,
  moment: Moment,
  lateKey: string | undefined,
): Promise<void> {
  const again = victim === 'command' || victim === 'all';
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
