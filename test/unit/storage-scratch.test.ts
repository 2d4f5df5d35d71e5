import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assertFreeSpace, createScratch } from '../../storage/scratch.js';

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'longhaul-scratch-'));
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

test('each attempt has a folder of its own, recognisable and private, until it is disposed of', async () => {
  const one = await createScratch(join(parent, 'deep/er'), 'nightly:2026/collect 7');
  const two = await createScratch(join(parent, 'deep/er'), 'nightly:2026/collect 7');
  expect(one.dir).not.toBe(two.dir);
  expect(basename(one.dir)).toMatch(
    new RegExp(`^scratch-[0-9a-f]{12}-${process.pid}-\\d+-[0-9a-f]{12}-nightly-2026-collect-7$`),
  );
  expect((await stat(one.dir)).mode & 0o777).toBe(0o700);
  await writeFile(join(one.dir, 'x'), 'x');
  await one.dispose();
  await one.dispose();
  expect(await readdir(join(parent, 'deep/er'))).toEqual([basename(two.dir)]);
});

test('what dead processes left is removed, what live ones and strangers have stays', async () => {
  const live = await createScratch(parent, 'live');
  const [, place, pid, start, random] = basename(live.dir).split('-');
  const deadHere = `scratch-${place}-${spawnSync('true').pid}-${start}-${random}-dead`;
  const fresh = `scratch-0123456789ab-${pid}-${start}-${random}-elsewhere`;
  const active = `scratch-0123456789ab-${pid}-${random}-active`;
  const old = `scratch-0123456789ab-${pid}-${start}-${random}-old`;
  for (const name of [deadHere, fresh, active, old, 'scratch-pad']) {
    await mkdir(join(parent, name, 'sort'), { recursive: true });
    await writeFile(join(parent, name, 'sort/0'), 'bytes');
  }
  const long = new Date(Date.now() - 25 * 60 * 60 * 1000);
  for (const name of [`${old}/sort/0`, `${old}/sort`, old, `${active}/sort`, active]) {
    await utimes(join(parent, name), long, long);
  }
  const next = await createScratch(parent, 'next');
  expect((await readdir(parent)).sort()).toEqual(
    [basename(live.dir), basename(next.dir), fresh, active, 'scratch-pad'].sort(),
  );
});

test('enough free space is fine, also for a folder that does not exist yet', async () => {
  await assertFreeSpace(parent, 1);
  await assertFreeSpace(join(parent, 'not/yet'), 1);
});

test('too little says how much is needed and how much there is', async () => {
  await expect(assertFreeSpace(parent, 1e18)).rejects.toMatchObject({
    name: 'StorageError',
    type: 'StorageFull',
    path: parent,
    message: expect.stringMatching(/needs 1000000000000000000 bytes of free space and has \d+\. Free space/),
  });
});

test('a folder that can’t be made is named', async () => {
  await expect(createScratch('/dev/null/x', 'a')).rejects.toMatchObject({
    name: 'StorageError',
    message: expect.stringContaining('/dev/null/x'),
  });
});
