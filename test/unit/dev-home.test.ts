import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openHome, removeUnfinished, writeJson, type Home } from '../../dev/home.js';

let home: Home;
beforeEach(async () => {
  home = await openHome(await mkdtemp(join(tmpdir(), 'longhaul-home-')));
});
afterEach(() => rm(home.folder, { recursive: true, force: true }));

it('removes what a killed supervisor left half written, and nothing else', async () => {
  await writeJson(home.serverFile, {});
  await writeFile(`${home.serverFile}.4711.tmp`, '{');
  await writeFile(`${home.supervisorFile}.4712.tmp`, '');
  await writeFile(join(home.folder, 'notes.tmp'), 'a person’s own');
  await removeUnfinished(home);
  expect((await readdir(home.folder)).toSorted()).toEqual(['notes.tmp', 'server.json']);
});
