import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DuplicateId } from '../../storage/duplicate-list.js';
import { DuplicateFinder, hashId, RowLookup } from '../../storage/id-index.js';

let scratchDir: string;

beforeEach(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'longhaul-id-index-'));
});

afterEach(async () => {
  await rm(scratchDir, { recursive: true, force: true });
});

interface IdLine {
  readonly id: string;
  readonly line: number;
}

async function find(ids: Iterable<IdLine>, maxRowsInMemory?: number): Promise<DuplicateId[]> {
  const options = maxRowsInMemory === undefined ? { scratchDir } : { scratchDir, maxRowsInMemory };
  const finder = new DuplicateFinder(options);
  try {
    for (const { id, line } of ids) await finder.add(hashId(id), line);
    return [...(await finder.finish())];
  } finally {
    await finder.dispose();
  }
}

function reference(ids: readonly IdLine[]): DuplicateId[] {
  const first = new Map<string, number>();
  const found: DuplicateId[] = [];
  for (const { id, line } of ids) {
    const firstLine = first.get(id);
    if (firstLine === undefined) first.set(id, line);
    else found.push({ line, firstLine });
  }
  return found;
}

/** Few different ids on ascending lines with gaps. */
const idLines = fc
  .array(
    fc.tuple(fc.oneof(fc.nat(9).map(String), fc.string({ unit: 'binary' })), fc.integer({ min: 1, max: 3 })),
    {
      maxLength: 40,
    },
  )
  .map((rows) => {
    let line = 0;
    return rows.map(([id, gap]) => ({ id, line: (line += gap) }));
  });

describe('hashes of ids', () => {
  test('are the first 16 bytes of the SHA-256 of their UTF-8', () => {
    for (const id of ['', 'request-1', 'ä𝄞']) {
      expect(hashId(id).toString('hex')).toBe(createHash('sha256').update(id).digest('hex').slice(0, 32));
    }
  });

  test('differ for ids that UTF-8 can’t tell apart', () => {
    const hashes = ['\ud800', '\ud801', '\udfff', '\ufffd', '\ud800x'].map((id) =>
      hashId(id).toString('hex'),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('duplicates', () => {
  test('are found in memory as a simple search finds them', async () => {
    await fc.assert(
      fc.asyncProperty(idLines, async (ids) => {
        expect(await find(ids)).toEqual(reference(ids));
      }),
    );
  });

  test('are the same when they went to disk, whenever that began', async () => {
    await fc.assert(
      fc.asyncProperty(idLines, fc.nat(40), async (ids, limit) => {
        expect(await find(ids, limit)).toEqual(reference(ids));
      }),
      { numRuns: 15 },
    );
    expect(await readdir(scratchDir)).toEqual([]);
  });

  test('are found across chunks and passes of memory', async () => {
    const rows = 150_000;
    function* ids(): Generator<IdLine> {
      for (let line = 1; line <= rows; line += 1) {
        yield { id: line === rows ? 'row 7' : line % 50_000 === 0 ? 'row 40000' : `row ${line}`, line };
      }
    }
    const expected = [
      { line: 50_000, firstLine: 40_000 },
      { line: 100_000, firstLine: 40_000 },
      { line: 150_000, firstLine: 7 },
    ];
    expect(await find(ids())).toEqual(expected);
    expect(await find(ids(), 70_000)).toEqual(expected);
  });

  test('need lines in their order', async () => {
    const finder = new DuplicateFinder({ scratchDir });
    await finder.add(hashId('a'), 5);
    for (const line of [5, 4, 0, 5.5, 2 ** 32])
      await expect(finder.add(hashId('b'), line)).rejects.toThrow(RangeError);
    await expect(finder.add(Buffer.alloc(15), 6)).rejects.toThrow(RangeError);
    await finder.dispose();
  });

  test('that can’t go to disk say where', async () => {
    const finder = new DuplicateFinder({ scratchDir: '/dev/null/scratch', maxRowsInMemory: 0 });
    await expect(finder.add(hashId('a'), 1)).rejects.toMatchObject({
      name: 'StorageError',
      message: expect.stringContaining('/dev/null/scratch'),
    });
    await finder.dispose();
  });
});

describe('rows by id', () => {
  test('are found as in a map, the first of equal ids', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.nat()), { maxLength: 50 }),
        fc.nat(60),
        (rows, expected) => {
          const lookup = new RowLookup(expected);
          const map = new Map<string, number>();
          for (const [id, row] of rows) {
            expect(lookup.add(hashId(id), row)).toBe(!map.has(id));
            if (!map.has(id)) map.set(id, row);
          }
          expect(lookup.size).toBe(map.size);
          for (const [id, row] of map) expect(lookup.get(hashId(id))).toBe(row);
          expect(lookup.get(hashId('an id that is not among them'))).toBe(
            map.get('an id that is not among them') ?? -1,
          );
        },
      ),
    );
  });

  test('grow from nothing to many', () => {
    const lookup = new RowLookup();
    const hashes = Array.from({ length: 20_000 }, (_, row) => hashId(`row ${row}`));
    for (const [row, hash] of hashes.entries()) lookup.add(hash, row);
    expect(hashes.every((hash, row) => lookup.get(hash) === row)).toBe(true);
    expect(lookup.get(hashId('row 20000'))).toBe(-1);
    for (const row of [-1, 0.5, 2 ** 32]) expect(() => lookup.add(hashId('x'), row)).toThrow(RangeError);
  });
});
