import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFileStore } from '../../storage/file.js';
import { scanInput, SCAN_FILES, withoutReturns } from '../../storage/input-scan.js';
import type { ScanResult } from '../../storage/input-scan.js';
import { openRowIndex } from '../../storage/row-index.js';
import type { RowIndexEntry } from '../../storage/row-index.js';
import { memoryStore } from '../support/memory-store.js';

async function* pieces(content: string | Buffer, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function scan(content: string | Buffer, more: { maxRowBytes?: number; maxRowsInMemory?: number } = {}) {
  const scratchDir = await mkdtemp(join(tmpdir(), 'longhaul-scan-'));
  onTestFinished(() => rm(scratchDir, { recursive: true, force: true }));
  const scratch = memoryStore();
  const options = { model: 'm', endpoint: '/v1/x', maxRowBytes: 1000, scratch, scratchDir, ...more };
  const result: ScanResult = await scanInput(pieces(content), options);
  const entries: RowIndexEntry[] = [];
  for await (const batch of (await openRowIndex(scratch, SCAN_FILES.rows)).read()) entries.push(...batch);
  const invalid = scratch.files.get(SCAN_FILES.invalid)?.toString() ?? '';
  return { result, entries, invalid, left: await readdir(scratchDir) };
}

const line = (id: string | null) => JSON.stringify(id === null ? { body: {} } : { custom_id: id, body: {} });

describe('the first pass over an input', () => {
  it('remembers where good rows are and why bad ones are bad', async () => {
    const { result, entries, invalid } = await scan(`\n${line('a')}\r\n\nbad\n${line(null)}\r\r\n`);
    expect(result).toMatchObject({ rows: 3, invalid: 1, repeated: 0, idPrefix: 'longhaul-' });
    expect(result.issues).toEqual([
      { line: 4, reason: expect.stringContaining('is not valid JSON') as string },
    ]);
    expect(entries).toMatchObject([
      { position: 0, line: 2, length: line('a').length, generatedId: false },
      { position: 2, line: 5, length: line(null).length, generatedId: true },
    ]);
    expect(JSON.parse(invalid)).toMatchObject({ position: 1, line: 4, customId: null });
  });

  it('finds repeated ids wherever they are kept', async () => {
    const ids = fc.array(fc.constantFrom('a', 'b', 'c', '\ud800', '\ud801', 'é', ''), {
      minLength: 1,
      maxLength: 12,
    });
    const property = fc.asyncProperty(ids, fc.constantFrom(1, 3, 100), async (given, maxRowsInMemory) => {
      const { result, left } = await scan(given.map(line).join('\n'), { maxRowsInMemory });
      const expected = given.flatMap((id, at) =>
        given.indexOf(id) < at ? [{ line: at + 1, firstLine: given.indexOf(id) + 1 }] : [],
      );
      expect([...result.duplicates]).toEqual(expected);
      expect(result).toMatchObject({ invalid: expected.length, repeated: expected.length });
      expect(left).toEqual([]);
    });
    await fc.assert(property, { numRuns: 20 });
  });

  it('names the first twenty issues in order of their lines, of whichever kind', async () => {
    const content = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? '{}' : line('same'))).join('\n');
    const { result } = await scan(content);
    expect(result.issues).toHaveLength(20);
    expect(result.issues.map((issue) => issue.line)).toEqual([
      1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    ]);
    expect(result.invalid).toBe(49);
  });

  it('gives ids that no row has', async () => {
    const taken = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.nat({ max: 3 })), { maxLength: 8 });
    const property = fc.asyncProperty(taken, async (forms) => {
      const ids = [...new Set(forms.map(([dashes, number]) => `longhaul${'-'.repeat(dashes)}${number}`))];
      const { result } = await scan([line(null), ...ids.map(line)].join('\n'));
      for (let position = 0; position < 5; position += 1) {
        expect(ids).not.toContain(`${result.idPrefix}${position}`);
      }
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('keeps room for the id that it gives', async () => {
    const body = { body: { t: 'x'.repeat(750) } };
    expect((await scan(JSON.stringify(body))).result.issues[0]?.reason).toContain(
      'has no room for a custom_id',
    );
    expect((await scan(JSON.stringify({ custom_id: 'a', ...body }))).result.invalid).toBe(0);
  });

  it('shows the id of a bad row when it has one that can be shown', async () => {
    const bad = [
      '{"custom_id":"a"}',
      '{"custom_id":7,"body":{}}',
      JSON.stringify({ custom_id: 'i'.repeat(300) }),
      '[]',
    ];
    const { invalid } = await scan(bad.join('\n'));
    const ids = invalid
      .split('\n')
      .slice(0, -1)
      .map((text) => (JSON.parse(text) as { customId: unknown }).customId);
    expect(ids).toEqual(['a', null, null, null]);
  });

  it('counts a row of 256 emoji as short enough, and one of 257 as not', async () => {
    expect((await scan(line('😀'.repeat(256)), { maxRowBytes: 5000 })).result.invalid).toBe(0);
    expect((await scan(line('😀'.repeat(257)), { maxRowBytes: 5000 })).result.invalid).toBe(1);
  });

  it('leaves nothing when its source breaks', async () => {
    const source = (async function* () {
      yield Buffer.from(`${line('a')}\n`);
      throw new Error('broken');
    })();
    const scratch = memoryStore();
    const options = { model: 'm', endpoint: '/v1/x', maxRowBytes: 1000, scratch, scratchDir: tmpdir() };
    await expect(scanInput(source, options)).rejects.toThrow('broken');
    expect([...scratch.files.keys()]).toEqual([]);
  });
});

describe('the end of a line', () => {
  it('is no part of the row', () => {
    expect(withoutReturns(Buffer.from('{} \t\r\r')).toString()).toBe('{} \t');
    expect(withoutReturns(Buffer.from('\r')).toString()).toBe('');
    expect(withoutReturns(Buffer.from('{}')).toString()).toBe('{}');
  });
});

/** Bytes that live objects and buffers take, without what waits for the collector: buffers go some time after it ran. */
async function inUse(): Promise<number> {
  setFlagsFromString('--expose-gc');
  let least = Infinity;
  for (let collected = 0; collected < 5; collected += 1) {
    runInNewContext('gc()');
    await setImmediate();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    least = Math.min(least, arrayBuffers + heapUsed);
  }
  return least;
}

it('keeps eight bytes for each repeated id of an input that is nothing else', async () => {
  const ROWS = 200_000;
  const scratchDir = await mkdtemp(join(tmpdir(), 'longhaul-scan-'));
  onTestFinished(() => rm(scratchDir, { recursive: true, force: true }));
  const options = { model: 'm', endpoint: '/v1/x', maxRowBytes: 1000, scratch: openFileStore(scratchDir) };
  const many = (count: number) => {
    const chunk = Buffer.from(`${line('same')}\n`.repeat(1000));
    return (async function* () {
      for (let rows = 0; rows < count; rows += 1000) yield chunk;
    })();
  };
  await scanInput(many(1000), { ...options, scratchDir });
  const before = await inUse();
  const result = await scanInput(many(ROWS), { ...options, scratchDir });
  const used = (await inUse()) - before;
  expect(result.duplicates.size).toBe(ROWS - 1);
  expect(result.duplicates.at(ROWS - 2)).toEqual({ line: ROWS, firstLine: 1 });
  // As objects they would take 40 bytes and more; a list that doubles may have room for twice as many.
  expect(used).toBeLessThan(ROWS * 20);
});
