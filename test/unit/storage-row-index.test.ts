import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileStore } from '../../storage/file.js';
import { openRowIndex, RowIndexWriter, type RowIndexEntry } from '../../storage/row-index.js';
import type { Store } from '../../storage/store.js';

const PATH = 'batch/input/shard-00000.idx';

let root: string;
let store: Store;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-row-index-'));
  store = openFileStore(root);
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function write(entries: Iterable<RowIndexEntry>): Promise<void> {
  const writer = new RowIndexWriter(await store.openWriter(PATH));
  try {
    for (const entry of entries) await writer.add(entry);
    await writer.commit();
  } finally {
    await writer.abort();
  }
}

async function readAll(range?: { from?: number; to?: number }): Promise<RowIndexEntry[]> {
  const entries: RowIndexEntry[] = [];
  for await (const batch of (await openRowIndex(store, PATH)).read(range)) entries.push(...batch);
  return entries;
}

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const entry = fc.record({
  position: u32,
  line: u32,
  offset: fc.maxSafeNat(),
  length: u32,
  generatedId: fc.boolean(),
});

test('records come back as they were, by number, by range and all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 20 }),
      fc.nat(25),
      fc.nat(25),
      async (entries, from, to) => {
        await write(entries);
        const index = await openRowIndex(store, PATH);
        expect(index.records).toBe(entries.length);
        expect(await readAll()).toEqual(entries);
        expect(await readAll({ from, to })).toEqual(entries.slice(from, Math.max(from, to)));
        for (const [number, expected] of entries.entries())
          expect(await index.readAt(number)).toEqual(expected);
      },
    ),
    { numRuns: 30 },
  );
});

test('more records than fit into one chunk stay in order', async () => {
  const records = 60_001;
  function* rows(): Generator<RowIndexEntry> {
    for (let row = 0; row < records; row += 1) {
      yield {
        position: row,
        line: row + 1,
        offset: row * 1_000_003,
        length: row % 77,
        generatedId: row % 3 === 0,
      };
    }
  }
  await write(rows());
  expect((await store.stat(PATH))?.bytes).toBe(16 + 24 * records);
  const read = await readAll();
  expect(read).toHaveLength(records);
  expect(read.every(({ position, offset }, row) => position === row && offset === row * 1_000_003)).toBe(
    true,
  );
  expect(await readAll({ from: 59_999 })).toEqual(read.slice(59_999));
});

test('the format is the documented one', async () => {
  await write([{ position: 1, line: 2, offset: 2 ** 32 + 3, length: 4, generatedId: true }]);
  expect(Buffer.from((await store.readSmall(PATH)) ?? []).toString('hex')).toBe(
    `${Buffer.from('LHIDX1').toString('hex')}1800${'00'.repeat(8)}010000000200000003000000010000000400000001000000`,
  );
});

test('a number that does not fit, and a record that is not there, are refused', async () => {
  const good: RowIndexEntry = { position: 0, line: 1, offset: 0, length: 1, generatedId: false };
  await expect(write([{ ...good, line: 2 ** 32 }])).rejects.toThrow(RangeError);
  await write([good]);
  const index = await openRowIndex(store, PATH);
  for (const number of [-1, 1, 0.5]) await expect(index.readAt(number)).rejects.toThrow(RangeError);
});

test('a missing index is a mismatch, a broken one is named', async () => {
  await expect(openRowIndex(store, PATH)).rejects.toMatchObject({ type: 'StorageMismatch', path: PATH });
  const header = Buffer.alloc(16);
  header.write('LHIDX1');
  header.writeUInt16LE(24, 6);
  const otherSize = Buffer.from(header);
  otherSize.writeUInt16LE(32, 6);
  for (const content of [
    '',
    'LHIDX1',
    Buffer.alloc(40),
    otherSize,
    Buffer.concat([header, Buffer.alloc(23)]),
  ]) {
    await store.writeSmall(PATH, content);
    await expect(openRowIndex(store, PATH)).rejects.toMatchObject({
      type: 'IntegrityMismatch',
      message: expect.stringContaining(PATH),
    });
  }
});

test('an index that is cut off while it is read is noticed', async () => {
  const good: RowIndexEntry = { position: 0, line: 1, offset: 0, length: 1, generatedId: false };
  await write([good, good, good]);
  const index = await openRowIndex(store, PATH);
  await write([good]);
  await expect(index.readAt(2)).rejects.toMatchObject({ type: 'IntegrityMismatch' });
  const reading = (async () => {
    for await (const batch of index.read()) expect(batch).toHaveLength(1);
  })();
  await expect(reading).rejects.toMatchObject({ type: 'IntegrityMismatch' });
});
