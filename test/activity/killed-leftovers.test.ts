import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { createScratch } from '../../storage/scratch.js';
import { Bench } from '../support/activity-env.js';
import { rows } from '../support/activity-inputs.js';

/** The folder of an attempt whose process was killed. */
async function leaveScratch(scratchDir: string): Promise<void> {
  const live = await createScratch(scratchDir, 'live');
  const [, place, , start, random] = basename(live.dir).split('-');
  await live.dispose();
  const dead = join(scratchDir, `scratch-${place}-${spawnSync('true').pid}-${start}-${random}-collect`);
  await mkdir(dead);
  await writeFile(join(dead, 'bucket'), 'rows');
}

it('a collect that was killed after it closed its round leaves nothing once the batch is done', async () => {
  const bench = await Bench.start();
  await bench.prepare(rows(2));
  await bench.round();
  // Its next attempt finds the round closed, and has no need of a folder.
  await leaveScratch(bench.deps.scratchDir);
  await bench.assemble();
  expect(await readdir(bench.deps.scratchDir)).toEqual([]);
});
