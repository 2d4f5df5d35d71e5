import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bindingConflict, readHomeBinding, writeHomeBinding } from '../../dev/home-binding.js';
import { openHome, writeJson, type Home } from '../../dev/home.js';
import { readServerFile } from '../../storage/home-files.js';

let parent: string;
let home: Home;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'longhaul-home-'));
  home = await openHome(join(parent, 'deep', '.longhaul'));
});
afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

const bound = { baseUrl: 'https://api.mistral.ai', storeUri: 'file:///data/store' };

it('opens a home to its owner only', async () => {
  expect((await stat(home.folder)).mode & 0o777).toBe(0o700);
});

it('has no conflict with the same provider and store, however written, or with no opinion', () => {
  for (const asked of [
    {},
    bound,
    { baseUrl: 'https://API.mistral.ai:443/v1' },
    { storeUri: 'file:///data/store/' },
  ]) {
    expect(bindingConflict(home, bound, asked)).toBeUndefined();
  }
  expect(bindingConflict(home, {}, bound)).toBeUndefined();
});

it('names both sides of a conflict, and the way out', () => {
  const origin = bindingConflict(home, bound, { baseUrl: 'http://127.0.0.1:4000' });
  for (const part of [home.folder, bound.baseUrl, 'http://127.0.0.1:4000', 'LONGHAUL_HOME']) {
    expect(origin).toContain(part);
  }
  expect(bindingConflict(home, bound, { storeUri: 's3://bucket' })).toContain('s3://bucket');
});

it('counts all loopback origins as one', () => {
  const emulator = { baseUrl: 'http://127.0.0.1:4000' };
  for (const baseUrl of ['http://localhost:5000', 'http://127.0.0.2', 'http://[::1]:7']) {
    expect(bindingConflict(home, emulator, { baseUrl })).toBeUndefined();
  }
  expect(bindingConflict(home, emulator, { baseUrl: 'http://127.0.0.1.example.org' })).toBeDefined();
});

it('remembers the binding, without credentials in a URL', async () => {
  expect(await readHomeBinding(home)).toEqual({});
  await writeHomeBinding(home, { ...bound, baseUrl: 'https://me:secret@proxy.example.org/x' });
  expect(await readHomeBinding(home)).toEqual({ ...bound, baseUrl: 'https://proxy.example.org/x' });
  expect(await readFile(home.bindingFile, 'utf8')).not.toContain('secret');
});

it('reads server.json, and takes a missing or broken one for none', async () => {
  expect(await readServerFile(join(parent, 'nowhere'))).toBeNull();
  expect(await readServerFile(home.folder)).toBeNull();
  await writeJson(home.serverFile, { address: '127.0.0.1:1' });
  expect(await readServerFile(home.folder)).toBeNull();
  const file = { address: '127.0.0.1:1', namespace: 'default', uiUrl: 'http://127.0.0.1:2' };
  await writeJson(home.serverFile, file);
  expect(await readServerFile(home.folder)).toEqual(file);
});
