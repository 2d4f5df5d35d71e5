import { access, mkdtemp, realpath, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { findPrunable, removeBatch } from '../../cli/prune-store.js';
import { openFileStore } from '../../storage/file.js';
import type { Store } from '../../storage/store.js';

const SHA256 = 'ab'.repeat(32);
const OLD = Date.parse('2026-01-01T00:00:00Z');
const BEFORE = Date.parse('2026-02-01T00:00:00Z');

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-prune-')));
  store = openFileStore(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(path: string, at = OLD): Promise<void> {
  const writer = await store.openWriter(path, { ifAbsent: true });
  await writer.write(new TextEncoder().encode('oops\n'));
  await writer.commit();
  await utimes(join(folder, path), at / 1000, at / 1000);
}

const closed = () => Promise.resolve(false);

it('lists the old copy of an input beside which nothing came about, and removes its folder', async () => {
  await write(layout.stagedInput('refused', SHA256, 'x.jsonl'));
  await write(layout.stagedInput('refused', 'cd'.repeat(32), 'x.jsonl.gz'));
  const found = await findPrunable(store, BEFORE);
  expect(found).toMatchObject([
    { batchId: 'refused', outcome: null, at: '2026-01-01T00:00:00.000Z', bytes: 10 },
  ]);
  for (const batch of found) expect(await removeBatch(store, batch, closed)).toBe(true);
  await expect(access(join(folder, 'refused'))).rejects.toThrow();
});

it('leaves the copy alone while it is young, and once the batch has a plan', async () => {
  await write(layout.stagedInput('young', SHA256, 'x.jsonl'));
  await write(layout.stagedInput('young', 'cd'.repeat(32), 'x.jsonl'), BEFORE + 1000);
  await write(layout.stagedInput('planned', SHA256, 'x.jsonl'));
  await write(layout.plan('planned'));
  expect(await findPrunable(store, BEFORE)).toEqual([]);
});
