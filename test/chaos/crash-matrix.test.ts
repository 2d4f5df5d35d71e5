import { afterAll, beforeAll, describe, test } from 'vitest';
import { takeUsualPorts } from '../support/temp-folder.js';
import { expectBlindWorkerFound } from './blind-control.js';
import { HeldHomes } from './held-homes.js';
import { CONTROL } from './matrix.js';
import type { Story } from './matrix.js';
import { runRandomKills } from './random-kills.js';
import { runPoint, runUndisturbed } from './run-point.js';
import type { Undisturbed } from './run-point.js';
import { CHOSEN, RANDOM_SEEDS, SEED, SHARE } from './selection.js';
import type { Legacy } from './verdict.js';

/** A killed worker is noticed after 15 s, by its heartbeats, and several homes share this machine. */
const TIMEOUT_MS = 400_000;

let expected: Undisturbed;
const homes = new HeldHomes();

function undisturbed(story: Story): Legacy {
  const legacy = expected.get(story);
  if (legacy === undefined) throw new Error(`no undisturbed run of the story "${story}"`);
  return legacy;
}

beforeAll(async () => {
  const giveBack = await takeUsualPorts();
  const names = CHOSEN.map(({ name }) => `  ${name}\n`).join('');
  process.stdout.write(
    `chaos: seed ${SEED}, share ${SHARE.part}/${SHARE.of}, ${CHOSEN.length} points:\n${names}`,
  );
  expected = await runUndisturbed();
  return giveBack;
});

afterAll(() => homes.close());

describe.concurrent('SIGKILL', { timeout: TIMEOUT_MS }, () => {
  // The longest first: at the end nothing would run beside them.
  test.for(RANDOM_SEEDS)('at random, seed %s', async (seed, { task }) => {
    const creates = await runRandomKills(seed, undisturbed('answered'));
    task.meta.chaos = { point: null, ...creates };
  });

  test('of a worker that can’t see the jobs there are pays twice, and is found out', () =>
    expectBlindWorkerFound(CONTROL, undisturbed('answered')));

  test.for(CHOSEN.map((point) => [point.name, point] as const))('at %s', async ([name, point], { task }) => {
    const creates = await runPoint(point, undisturbed(point.step.story), homes);
    task.meta.chaos = { point: name, ...creates };
  });
});

declare module 'vitest' {
  interface TaskMeta {
    /** For the table of docs/guarantees.md; `point` is null for kills at random. */
    chaos?: { readonly point: string | null; readonly sent: number; readonly accepted: number };
  }
}
