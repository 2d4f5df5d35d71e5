import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openHome, type Home } from '../../dev/home.js';
import { isAlive } from '../../dev/process-identity.js';
import { ProcessRecords } from '../../dev/process-records.js';

let home: Home;
let child: ChildProcess;
let pid: number;
beforeEach(async () => {
  home = await openHome(await mkdtemp(join(tmpdir(), 'longhaul-records-')));
  child = spawn('sleep', ['3600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  pid = child.pid ?? 0;
});
afterEach(async () => {
  child.kill('SIGKILL');
  await rm(home.folder, { recursive: true, force: true });
});

it('ends what a former supervisor recorded and left running', async () => {
  new ProcessRecords(home).note('server', pid, 'sleep 3600');
  const ended = once(child, 'exit');
  expect(await new ProcessRecords(home).endLeftovers()).toEqual([pid]);
  await ended;
  expect(isAlive(pid)).toBe(false);
  expect(await new ProcessRecords(home).endLeftovers()).toEqual([]);
});

it('leaves a process alone that only has the recorded id, or another command line', async () => {
  new ProcessRecords(home).note('server', pid, 'another program');
  expect(await new ProcessRecords(home).endLeftovers()).toEqual([]);
  new ProcessRecords(home).note('server', pid, 'sleep 3600');
  const text = await readFile(home.processesFile, 'utf8');
  await writeFile(home.processesFile, text.replace(/"start":"\w+"/, '"start":"1"'));
  expect(await new ProcessRecords(home).endLeftovers()).toEqual([]);
  expect(isAlive(pid)).toBe(true);
});

it('takes a missing or broken record for none', async () => {
  expect(await new ProcessRecords(home).endLeftovers()).toEqual([]);
  await writeFile(home.processesFile, '[{"pid": "1"}, nul');
  expect(await new ProcessRecords(home).endLeftovers()).toEqual([]);
  await writeFile(home.processesFile, '[{"pid": "1"}, null]');
  expect(await new ProcessRecords(home).endLeftovers()).toEqual([]);
});
