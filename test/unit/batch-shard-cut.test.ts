import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_SHARDS, ShardCutter } from '../../batch/shard-cut.js';

test('shards are consecutive, keep to both limits, and none could have taken its next row', () => {
  const limits = fc.record({
    maxRows: fc.integer({ min: 1, max: 20 }),
    maxBytes: fc.integer({ min: 30, max: 200 }),
  });
  const rows = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(limits, rows, ({ maxRows, maxBytes }, sizes) => {
      const cutter = new ShardCutter({ maxRows, maxBytes });
      let last = -1;
      let held = { rows: 0, bytes: 0 };
      for (const bytes of sizes) {
        const shard = cutter.place(bytes);
        expect(shard).toBe(cutter.shard);
        if (shard === last) held = { rows: held.rows + 1, bytes: held.bytes + bytes };
        else {
          expect(shard).toBe(last + 1);
          const wasFull = held.rows === maxRows || held.bytes + bytes > maxBytes;
          expect(wasFull || last === -1).toBe(true);
          held = { rows: 1, bytes };
        }
        expect(held.rows).toBeLessThanOrEqual(maxRows);
        expect(held.bytes).toBeLessThanOrEqual(maxBytes);
        last = shard;
      }
    }),
  );
});

test('a shard is filled to the last row and the last byte', () => {
  const byRows = new ShardCutter({ maxRows: 2, maxBytes: 1000 });
  expect([1, 1, 1, 1, 1].map((bytes) => byRows.place(bytes))).toEqual([0, 0, 1, 1, 2]);
  const byBytes = new ShardCutter({ maxRows: 1000, maxBytes: 10 });
  expect([5, 5, 1, 9, 1, 10].map((bytes) => byBytes.place(bytes))).toEqual([0, 0, 1, 1, 2, 3]);
});

test('there is no shard before the first row, and 2,000 at most', () => {
  expect(new ShardCutter({ maxRows: 1, maxBytes: 1 }).shard).toBe(-1);
  expect(MAX_SHARDS).toBe(2000);
});
