import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { findPrunable, removeBatch } from '../../cli/prune-store.js';
import type { StoredBatch } from '../../cli/prune-store.js';
import { finishSetAside, setAside } from '../../storage/set-aside.js';
import { Bench } from '../support/activity-env.js';
import { BATCH, collectInput, rows } from '../support/activity-inputs.js';
import { hookedStore } from '../support/store-hooks.js';

const MANIFEST = layout.manifest(BATCH);
const closed = () => Promise.resolve(false);

/** A cancelled batch, as `clean` finds it. */
async function found(): Promise<{ bench: Bench; batch: StoredBatch }> {
  const bench = await Bench.start();
  await bench.prepare(rows(2));
  await bench.assemble({ cancelled: true });
  const [batch] = await findPrunable(bench.store, Number.MAX_SAFE_INTEGER);
  if (batch === undefined) throw new Error('there is no batch');
  return { bench, batch };
}

const inStore = (bench: Bench) => readdir(join(bench.dir, 'store'));

it('removes a finished batch and leaves nothing of it', async () => {
  const { bench, batch } = await found();
  expect(await removeBatch(bench.store, batch, closed)).toBe(true);
  expect(await inStore(bench)).toEqual(['store.json']);
});

it('keeps a batch that is open again, even before it has touched its manifest', async () => {
  const { bench, batch } = await found();
  const asked: string[] = [];
  const isOpen = (batchId: string) => {
    asked.push(batchId);
    return Promise.resolve(true);
  };
  expect(await removeBatch(bench.store, batch, isOpen)).toBe(false);
  expect(asked).toEqual([BATCH]);
  expect(await bench.files()).toContain('manifest.json');
});

it('keeps a batch that was started again since it was looked at', async () => {
  const { bench, batch } = await found();
  await bench.prepare(rows(2));
  await bench.submit();
  expect(await removeBatch(bench.store, batch, closed)).toBe(false);
  expect(await bench.files()).toContain('rounds/00000-1/job.json');
});

it('keeps a batch that has finished again since it was looked at', async () => {
  const { bench, batch } = await found();
  await bench.prepare(rows(2));
  await bench.round();
  await bench.assemble({ generation: 2 });
  expect(await removeBatch(bench.store, batch, closed)).toBe(false);
  expect(await bench.files()).toContain('results.jsonl');
});

it('puts back a batch that was started again while this process stood still before the removal', async () => {
  const { bench, batch } = await found();
  let before: readonly string[] = [];
  const held = hookedStore(bench.store, () => undefined);
  const store = {
    ...held,
    readSmall: async (path: string) => {
      const bytes = await held.readSmall(path);
      if (path === MANIFEST) {
        await bench.prepare(rows(2));
        await bench.submit();
        before = await bench.files();
      }
      return bytes;
    },
  };
  expect(await removeBatch(store, batch, closed)).toBe(false);
  expect(before).toContain('rounds/00000-1/job.json');
  expect(await bench.files()).toEqual(before);
  expect(await inStore(bench)).toEqual([BATCH, 'store.json']);
});

it('keeps what a run wrote while its folder was away, and puts the rest beside it', async () => {
  const { bench } = await found();
  const aside = await setAside(bench.store.uri, BATCH);
  expect(await bench.files()).toEqual([]);
  await bench.store.writeSmall(`${BATCH}/rounds/00000-1/job.json`, 'newer');
  await bench.store.writeSmall(MANIFEST, 'newer');
  expect(await aside?.putBack()).toBe(true);
  expect(await bench.text(MANIFEST)).toBe('newer');
  expect(await bench.files()).toEqual(
    expect.arrayContaining(['input/shard-00000.jsonl', 'manifest.json', 'rounds/00000-1/job.json']),
  );
});

it('does not mix a batch that was begun anew with the one whose removal was killed', async () => {
  const bench = await Bench.start();
  await bench.prepare(rows(4));
  await bench.round();
  await bench.assemble();
  await setAside(bench.store.uri, BATCH);
  // The same command, with other shards.
  await bench.prepare(rows(4), { shardRows: 2 });
  const { open, job } = await bench.submit();
  const before = await bench.files();
  const kept = await finishSetAside(bench.store.uri);
  expect(kept).toEqual([expect.stringContaining(join(bench.dir, 'store', `.tmp-kept-${BATCH}-`))]);
  expect(await finishSetAside(bench.store.uri)).toEqual(kept);
  expect(await bench.files()).toEqual(before);
  expect(await readdir(kept[0] ?? '')).toContain('results.jsonl');
  const sums = await bench.run('collect', collectInput(open, await bench.ended(job.jobId)));
  expect(sums.rows).toMatchObject({ total: 2, succeeded: 2 });
});

it('takes away a batch though one of the same name was kept aside', async () => {
  const bench = await Bench.start();
  for (const shardRows of [4, 2]) {
    await bench.prepare(rows(4), { shardRows });
    await setAside(bench.store.uri, BATCH);
    if (shardRows === 4) await bench.prepare(rows(4), { shardRows: 1 });
    await finishSetAside(bench.store.uri);
  }
  const last = await setAside(bench.store.uri, BATCH);
  await last?.remove();
  expect(await bench.files()).toEqual([]);
});

it('undoes a removal that was killed before it was sure', async () => {
  const { bench } = await found();
  const before = await bench.files();
  await setAside(bench.store.uri, BATCH);
  expect(await findPrunable(bench.store, Number.MAX_SAFE_INTEGER)).toEqual([]);
  await finishSetAside(bench.store.uri);
  expect(await bench.files()).toEqual(before);
});
