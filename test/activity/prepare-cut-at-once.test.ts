import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import type { Store } from '../../storage/store.js';
import { Bench, runActivity } from '../support/activity-env.js';
import { BATCH, ENDPOINT, jsonl, MODEL, row, rows } from '../support/activity-inputs.js';
import { hookedStore } from '../support/store-hooks.js';
import type { StoreCall } from '../support/store-hooks.js';

/** Two attempts may cut one batch at once, the earlier one of a run that was terminated and with other limits. */

const DRAFT = layout.planDraft(BATCH);
const PLAN = layout.plan(BATCH);

async function prepareOn(bench: Bench, store: Store, shardRows: number) {
  return prepareUri(bench, store, await bench.input(rows(5)), shardRows);
}

function prepareUri(bench: Bench, store: Store, uri: string, shardRows: number) {
  return runActivity(bench.with({ store }), 'prepare', {
    input: { uri },
    endpoint: ENDPOINT,
    model: MODEL,
    shardRows,
  });
}

/** Every shard that the plan names can be begun, which compares it with the plan. */
async function begins(bench: Bench): Promise<number[]> {
  const { shards } = await bench.prepare(rows(5));
  const counts: number[] = [];
  for (let shard = 0; shard < shards; shard += 1) counts.push((await bench.begin({ shard })).rows);
  return counts;
}

async function unfinished(bench: Bench): Promise<string[]> {
  const names = await readdir(join(bench.dir, 'store', BATCH, 'input'));
  return names.filter((name) => name.startsWith('.tmp-') || name.includes('draft'));
}

it.each([
  ['it writes its decision', 'writeSmall', DRAFT],
  ['it reads whose decision it was', 'readSmall', DRAFT],
  ['it opens its second shard', 'openWriter', layout.shard(BATCH, 1)],
] as const)(
  'an attempt that is held up before %s leaves a plan and its shards alone',
  async (_, call, path) => {
    const bench = await Bench.start();
    let held = false;
    let reads = 0;
    const store = hookedStore(bench.store, async (called, at) => {
      if (called !== call || at !== path || held) return;
      reads += 1;
      // The first read is whether something was decided before the cut.
      if (call === 'readSmall' && reads < 2) return;
      held = true;
      const other = () => prepareOn(bench, bench.store, 3);
      // What the held one has decided already is what the other one goes by, after a second look.
      await other().catch(other);
    });
    await prepareOn(bench, store, 2).catch((error: unknown) => {
      expect(error).toMatchObject({ type: 'StorageUnavailable', nonRetryable: false });
    });
    expect(held).toBe(true);
    expect(await begins(bench)).toEqual(call === 'readSmall' ? [2, 2, 1] : [3, 2]);
    expect(await unfinished(bench)).toEqual([]);
  },
);

it('a shard that is slow to reach the disk does not replace one that has a paid job', async () => {
  const bench = await Bench.start();
  const store: Store = {
    ...hookedStore(bench.store, () => undefined),
    openWriter: async (path, options) => {
      const writer = await bench.store.openWriter(path, options);
      if (path !== layout.shard(BATCH, 0)) return writer;
      return {
        bytes: 0,
        write: (chunk) => writer.write(chunk),
        abort: () => writer.abort(),
        commit: () => writer.commit(),
        seal: async () => {
          await prepareOn(bench, bench.store, 3);
          await bench.submit();
          return writer.seal();
        },
      };
    },
  };
  await expect(prepareOn(bench, store, 2)).resolves.toMatchObject({ kind: 'prepared', shards: 2 });
  expect(await begins(bench)).toEqual([3, 2]);
});

it('two at once with different limits end as one plan with its shards', async () => {
  for (let round = 0; round < 5; round += 1) {
    const bench = await Bench.start();
    // Written once: an attempt must not find it changed by the other ones.
    const uri = await bench.input(rows(5));
    const prepareOnce = (shardRows: number) => prepareUri(bench, bench.store, uri, shardRows);
    const prepare = (shardRows: number) => prepareOnce(shardRows).catch(() => prepareOnce(shardRows));
    await Promise.all([prepare(2), prepare(3), prepare(4)]);
    const counts = await begins(bench);
    expect([
      [2, 2, 1],
      [3, 2],
      [4, 1],
    ]).toContainEqual(counts);
    expect(await unfinished(bench)).toEqual([]);
  }
});

it.each([
  ['before its decision', 'writeSmall', DRAFT, 0],
  ['after its decision', 'readSmall', DRAFT, 1],
  ['before the plan', 'writeSmall', PLAN, 0],
  ['after the plan', 'remove', DRAFT, 0],
] as const)('is ended by the next attempt with other limits when cut off %s', async (_, call, path, skip) => {
  const bench = await Bench.start();
  let calls = 0;
  const killed = hookedStore(bench.store, (called: StoreCall, at) => {
    if (called !== call || at !== path) return;
    calls += 1;
    if (calls > skip) throw new Error('killed');
  });
  await expect(prepareOn(bench, killed, 2)).rejects.toThrow('killed');
  await prepareOn(bench, bench.store, 3);
  expect(await begins(bench)).toEqual(path === DRAFT && call === 'writeSmall' ? [3, 2] : [2, 2, 1]);
  expect(await unfinished(bench)).toEqual([]);
});

it('replaces shards that a version before this one left without a plan', async () => {
  const bench = await Bench.start();
  await prepareOn(bench, bench.store, 2);
  await bench.store.remove(PLAN);
  await prepareOn(bench, bench.store, 3);
  expect(await begins(bench)).toEqual([3, 2]);
});

it('has the rows that were refused beside the shards that they were refused from', async () => {
  const bench = await Bench.start();
  const input = jsonl([row('a'), { custom_id: 'b' }, row('a'), row('c')]);
  await bench.prepare(input, { onInvalid: 'skip' });
  expect((await bench.lines(layout.invalid(BATCH))).map(({ position }) => position)).toEqual([1, 2]);
});
