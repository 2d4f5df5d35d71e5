import { existsSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openFileStore } from '../../storage/file.js';

/* A power cut can't be had in a test: what is synced when, is what keeps a file through one. */

let root: string;
let seen: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-sync-'));
  seen = [];
  const probe = await open(root, 'r');
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const { sync } = handles;
  vi.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
    const kind = (await this.stat()).isDirectory() ? 'folder' : 'file';
    seen.push(
      `${kind}, the name ${existsSync(join(root, 'batch/a.json')) ? 'is there' : 'is not there yet'}`,
    );
    await sync.call(this);
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

it.each([false, true])(
  'a file is on the disk before its name is, and then its name (ifAbsent: %s)',
  async (ifAbsent) => {
    await openFileStore(root).writeSmall('batch/a.json', '{}', { ifAbsent });
    const file = seen.indexOf('file, the name is not there yet');
    expect(seen[file]).toBe('file, the name is not there yet');
    expect(seen.slice(file + 1)).toEqual(['folder, the name is there']);
  },
);

it('a writer that comes too late syncs the name that it goes on to rely on', async () => {
  const store = openFileStore(root);
  await store.writeSmall('batch/a.json', '{}', { ifAbsent: true });
  seen = [];
  expect(await store.writeSmall('batch/a.json', '{"b":1}', { ifAbsent: true })).toMatchObject({
    created: false,
  });
  expect(seen.at(-1)).toBe('folder, the name is there');
});
