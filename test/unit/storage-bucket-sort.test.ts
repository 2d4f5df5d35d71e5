import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBucketSorter, type BucketSorter } from '../../storage/bucket-sort.js';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-bucket-sort-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function sorted(sorter: BucketSorter): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for await (const { rank, payload } of sorter.sorted()) found.push([rank, payload.toString('latin1')]);
  return found;
}

async function filesOnDisk(): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const arrivals = fc.array(
  fc.record({
    rank: fc.nat(59),
    payload: fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    replace: fc.boolean(),
  }),
  { maxLength: 80 },
);

test('any order of arrival, any size of bucket: the same as sorting in memory', async () => {
  await fc.assert(
    fc.asyncProperty(
      arrivals,
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 0, max: 3000 }),
      async (rows, bucketBytes, expectedBytes) => {
        const sorter = await createBucketSorter({ dir, ranks: 60, expectedBytes, bucketBytes });
        try {
          const expected = new Map<number, string>();
          for (const { rank, payload, replace } of rows) {
            const taken = replace || !expected.has(rank);
            expect(sorter.has(rank)).toBe(expected.has(rank));
            expect(await sorter.add(rank, Buffer.from(payload, 'latin1'), { replace })).toBe(taken);
            if (taken) expected.set(rank, payload);
          }
          expect(sorter.size).toBe(expected.size);
          expect(await sorted(sorter)).toEqual([...expected].sort(([a], [b]) => a - b));
        } finally {
          await sorter.dispose();
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(await readdir(dir)).toEqual([]);
});

test('a bucket that grew beyond its size is read in pieces, long payloads and all', async () => {
  const ranks = 2000;
  const sorter = await createBucketSorter({ dir, ranks, expectedBytes: 10, bucketBytes: 5000 });
  const payloadOf = (rank: number) => `${rank}:`.padEnd(rank % 100 === 0 ? 600_000 : rank % 777, 'x');
  // 1,201 and 2,000 have no common divisor: every rank once, far from sorted.
  for (let step = 0; step < ranks; step += 1) {
    const rank = (step * 1201) % ranks;
    await sorter.add(rank, Buffer.from(payloadOf(rank)));
  }
  let next = 0;
  for await (const { rank, payload } of sorter.sorted()) {
    expect(rank).toBe(next);
    expect(payload.equals(Buffer.from(payloadOf(rank)))).toBe(true);
    next += 1;
  }
  expect(next).toBe(ranks);
  await sorter.dispose();
});

test('each bucket’s disk is given back once it was read', async () => {
  const sorter = await createBucketSorter({ dir, ranks: 100, expectedBytes: 10_000, bucketBytes: 1000 });
  for (let rank = 99; rank >= 0; rank -= 1) await sorter.add(rank, Buffer.alloc(100, rank));
  const files: number[] = [];
  for await (const { rank } of sorter.sorted()) {
    if (rank % 50 === 0 || rank === 99) files.push((await filesOnDisk()).length);
  }
  expect(files[0]).toBeGreaterThan(5);
  expect(files.at(1)).toBeLessThan(files[0] ?? 0);
  expect(files.at(2)).toBe(1);
  expect(await filesOnDisk()).toEqual([]);
  await sorter.dispose();
});

test('half-way through and after a failure everything is removed', async () => {
  const sorter = await createBucketSorter({ dir, ranks: 10, expectedBytes: 100, bucketBytes: 20 });
  for (let rank = 0; rank < 10; rank += 1) await sorter.add(rank, Buffer.from('payload'));
  for await (const { rank } of sorter.sorted()) {
    if (rank === 4) break;
  }
  await sorter.dispose();
  await sorter.dispose();
  expect(await readdir(dir)).toEqual([]);
});

test('scratch files that were cut off are noticed', async () => {
  const sorter = await createBucketSorter({ dir, ranks: 10, expectedBytes: 100, bucketBytes: 1000 });
  for (let rank = 0; rank < 10; rank += 1) await sorter.add(rank, Buffer.alloc(2_000_000));
  const [file] = await filesOnDisk();
  expect((await stat(file ?? '')).size).toBeGreaterThan(0);
  const reading = (async () => {
    for await (const { payload } of sorter.sorted()) {
      expect(payload.length).toBe(2_000_000);
      await truncate(file ?? '', 1000);
    }
  })();
  await expect(reading).rejects.toMatchObject({ name: 'StorageError', type: 'IntegrityMismatch' });
  await sorter.dispose();
});

test('ranks that are none, and adding once sorting has begun, are refused', async () => {
  const sorter = await createBucketSorter({ dir, ranks: 3, expectedBytes: 0 });
  for (const rank of [-1, 3, 0.5, Number.NaN])
    await expect(sorter.add(rank, Buffer.alloc(1))).rejects.toThrow(RangeError);
  expect(await sorted(sorter)).toEqual([]);
  await expect(sorter.add(0, Buffer.alloc(1))).rejects.toThrow('sorting has begun');
  await expect(sorted(sorter)).rejects.toThrow('only once');
  await sorter.dispose();
});

test('no ranks are fine', async () => {
  const sorter = await createBucketSorter({ dir, ranks: 0, expectedBytes: 0 });
  expect(await sorted(sorter)).toEqual([]);
  await sorter.dispose();
});

test('a scratch folder that can’t be made is named', async () => {
  await expect(createBucketSorter({ dir: '/dev/null/x', ranks: 1, expectedBytes: 1 })).rejects.toMatchObject({
    name: 'StorageError',
    message: expect.stringContaining('/dev/null/x'),
  });
});
