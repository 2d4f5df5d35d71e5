import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFileStore } from '../../storage/file.js';
import { openStore } from '../../storage/open-store.js';
import type { Store } from '../../storage/store.js';

let base: string;
let root: string;
let store: Store;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'longhaul-file-store-'));
  root = join(base, 'store');
  store = openFileStore(root);
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function text(path: string): Promise<string> {
  return (await collect(store.read(path))).toString();
}

async function pathsUnder(prefix: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of store.list(prefix)) paths.push(path);
  return paths;
}

/** Everything on the disk, unfinished files included. */
async function filesOnDisk(): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('writing', () => {
  test('any mix of writes arrives byte for byte, with its length and hash', async () => {
    const chunk = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.uint8Array({ maxLength: 50 }),
      // Across the border of the writer's buffer.
      fc.integer({ min: 0, max: 2_500_000 }).map((size) => new Uint8Array(size).fill(size % 251)),
      fc.constantFrom('ä'.repeat(400_000), '𝄞'.repeat(300_000)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), fc.boolean(), async (chunks, awaiting) => {
        const expected = Buffer.concat(chunks.map((piece) => Buffer.from(piece)));
        const writer = await store.openWriter('a/b.bin');
        const writes: Promise<void>[] = [];
        for (const piece of chunks) {
          const write = writer.write(piece);
          writes.push(write);
          if (awaiting) await write;
        }
        const written = await writer.commit();
        await Promise.all(writes);
        expect(written).toEqual({ bytes: expected.length, sha256: sha256(expected), created: true });
        expect((await readFile(join(root, 'a/b.bin'))).equals(expected)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  test('a file is not visible before its commit, and replaces the old one whole', async () => {
    await store.writeSmall('x.txt', 'old');
    const writer = await store.openWriter('x.txt');
    await writer.write('n'.repeat(3_000_000));
    expect(await text('x.txt')).toBe('old');
    expect(await pathsUnder('')).toEqual(['x.txt']);
    await writer.commit();
    expect(await text('x.txt')).toBe('n'.repeat(3_000_000));
    expect(await filesOnDisk()).toEqual(['x.txt']);
  });

  test('a writer that is never committed leaves nothing that can be seen', async () => {
    const writer = await store.openWriter('batch/x.txt');
    await writer.write('half');
    const other = openFileStore(store.uri);
    expect(await other.stat('batch/x.txt')).toBeNull();
    expect(await other.readSmall('batch/x.txt')).toBeNull();
    expect(await pathsUnder('')).toEqual([]);
    await writer.abort();
  });

  test('abort leaves no file behind and may be repeated, also after commit', async () => {
    const aborted = await store.openWriter('x.txt');
    await aborted.write('gone');
    await aborted.abort();
    await aborted.abort();
    expect(await filesOnDisk()).toEqual([]);
    await expect(aborted.write('more')).rejects.toThrow('already');
    await expect(aborted.commit()).rejects.toThrow('already');

    const committed = await store.openWriter('x.txt');
    await committed.write('kept');
    await committed.commit();
    await committed.abort();
    expect(await text('x.txt')).toBe('kept');
  });

  test('abort waits for writes that nobody awaited', async () => {
    const writer = await store.openWriter('x.txt');
    const write = writer.write(new Uint8Array(5_000_000));
    await writer.abort();
    await write;
    expect(await filesOnDisk()).toEqual([]);
  });

  test('a failed commit leaves no file behind', async () => {
    await mkdir(join(root, 'taken'), { recursive: true });
    const writer = await store.openWriter('taken');
    await writer.write('x');
    await expect(writer.commit()).rejects.toMatchObject({ type: 'StorageMismatch', path: 'taken' });
    expect(await filesOnDisk()).toEqual([]);
  });

  test('a hundred thousand small writes arrive whole', async () => {
    const writer = await store.openWriter('x.jsonl');
    for (let row = 0; row < 100_000; row += 1) await writer.write('{"custom_id":"1"}\n');
    expect(await writer.commit()).toMatchObject({ bytes: 1_800_000 });
    expect((await store.stat('x.jsonl'))?.bytes).toBe(1_800_000);
  });

  test('a secret can be read by its owner alone', async () => {
    await store.writeSmall('excerpt.json', '{}', { secret: true });
    expect((await stat(join(root, 'excerpt.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(root)).mode & 0o077).toBe(0);
  });

  test('a folder where a file should be is named', async () => {
    await store.writeSmall('a', 'file');
    await expect(store.writeSmall('a/b', 'x')).rejects.toMatchObject({
      type: 'StorageMismatch',
      message: expect.stringContaining('a file where a folder should be'),
    });
  });
});

describe('create if absent', () => {
  test('an existing file stays as it is', async () => {
    expect(await store.writeSmall('x', 'first', { ifAbsent: true })).toMatchObject({ created: true });
    const second = await store.writeSmall('x', 'second', { ifAbsent: true });
    expect(second).toEqual({ created: false, bytes: 6, sha256: sha256('second') });
    expect(await text('x')).toBe('first');
    expect(await filesOnDisk()).toEqual(['x']);
  });

  test('of two open writers the first to commit wins', async () => {
    const one = await store.openWriter('x', { ifAbsent: true });
    const two = await store.openWriter('x', { ifAbsent: true });
    await one.write('one');
    await two.write('two');
    expect((await two.commit()).created).toBe(true);
    expect((await one.commit()).created).toBe(false);
    expect(await text('x')).toBe('two');
  });

  test('of many concurrent writers exactly one wins, and its content stays', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `writer ${index}`);
    const results = await Promise.all(
      names.map((name) => openFileStore(root).writeSmall('deep/er/x', name, { ifAbsent: true })),
    );
    const winners = names.filter((_, index) => results[index]?.created);
    expect(winners).toHaveLength(1);
    expect(await text('deep/er/x')).toBe(winners[0]);
    expect(await filesOnDisk()).toEqual(['x']);
  });
});

describe('reading', () => {
  test('a range is the same part of the file', async () => {
    const content = Buffer.alloc(1_200_000, 'Longhaul ');
    await store.writeSmall('x', content);
    const border = fc.oneof(fc.integer({ min: 0, max: 1_300_000 }), fc.constantFrom(0, 524_288, 1_200_000));
    await fc.assert(
      fc.asyncProperty(border, border, async (start, end) => {
        const part = await collect(store.read('x', { start, end }));
        expect(part.equals(content.subarray(start, Math.max(start, end)))).toBe(true);
      }),
      { numRuns: 30 },
    );
    expect((await collect(store.read('x'))).equals(content)).toBe(true);
  });

  test('a missing file is a mismatch that says what is missing, and null for small ones', async () => {
    await expect(text('batch/input/plan.json')).rejects.toMatchObject({
      name: 'StorageError',
      type: 'StorageMismatch',
      path: 'batch/input/plan.json',
      message: expect.stringMatching(/batch\/input\/plan\.json in file:\/\/\/.*does not exist/),
    });
    expect(await store.readSmall('batch/input/plan.json')).toBeNull();
    expect(await store.stat('batch/input/plan.json')).toBeNull();
  });

  test('reading stops at an abort with its reason', async () => {
    await store.writeSmall('x', Buffer.alloc(2_000_000));
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const reading = (async () => {
      for await (const chunk of store.read('x', { signal: controller.signal })) {
        expect(chunk.length).toBeGreaterThan(0);
        controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
  });

  test('a file over 16 MiB is not a small one', async () => {
    await store.writeSmall('x', Buffer.alloc(16 * 1024 * 1024 + 1));
    await expect(store.readSmall('x')).rejects.toMatchObject({ type: 'StorageMismatch' });
  });

  test('stat tells size and time of files, and null for folders', async () => {
    const before = Date.now();
    await store.writeSmall('a/x', 'four');
    const found = await store.stat('a/x');
    expect(found).toMatchObject({ path: 'a/x', bytes: 4 });
    expect(Math.abs((found?.modifiedAt ?? 0) - before)).toBeLessThan(60_000);
    expect(await store.stat('a')).toBeNull();
  });
});

describe('listing and removing', () => {
  test('lists files below a folder in the order of their paths, without unfinished ones', async () => {
    const paths = [
      'b/x',
      'a.txt',
      'a/z',
      'a/b/c',
      'a-b',
      'a/b.txt',
      'B',
      'rounds/00000-10/x',
      'rounds/00000-9/x',
    ];
    for (const path of paths) await store.writeSmall(path, path);
    const open = await store.openWriter('a/open');
    await open.write('unfinished');
    expect(await pathsUnder('')).toEqual([...paths].sort());
    expect(await pathsUnder('a')).toEqual(['a/b.txt', 'a/b/c', 'a/z']);
    expect(await pathsUnder('a/')).toEqual(['a/b.txt', 'a/b/c', 'a/z']);
    expect(await pathsUnder('nothing')).toEqual([]);
    await open.abort();
  });

  test('a store that does not exist yet is empty', async () => {
    expect(await pathsUnder('')).toEqual([]);
    await store.remove('x');
    await expect(stat(root)).rejects.toThrow('ENOENT');
  });

  test('removes a file, and does not mind one that is gone', async () => {
    await store.writeSmall('a/x', '');
    await store.remove('a/x');
    await store.remove('a/x');
    expect(await store.stat('a/x')).toBeNull();
  });
});

describe('the root is never left', () => {
  test.each([
    '..',
    '../x',
    'a/../../x',
    '/etc/passwd',
    'a//b',
    '',
    'a/',
    './a',
    'a\0b',
    'a\\b',
    '.tmp-x',
    `${'n'.repeat(256)}`,
  ])('the path %j is refused', async (path) => {
    const refused = { type: 'StorageDenied', path, name: 'StorageError' };
    await expect(store.writeSmall(path, '')).rejects.toMatchObject(refused);
    await expect(store.readSmall(path)).rejects.toMatchObject(refused);
    await expect(collect(store.read(path))).rejects.toMatchObject(refused);
    await expect(store.stat(path)).rejects.toMatchObject(refused);
    await expect(store.remove(path)).rejects.toMatchObject(refused);
  });

  test('neither through a linked folder nor through a linked file', async () => {
    await mkdir(join(base, 'outside'));
    await writeFile(join(base, 'outside/secret'), 'secret');
    await store.writeSmall('inside/x', 'inside');
    await symlink(join(base, 'outside'), join(root, 'out'));
    await symlink(join(base, 'outside/secret'), join(root, 'link'));
    const refused = { type: 'StorageDenied' };
    await expect(text('out/secret')).rejects.toMatchObject(refused);
    await expect(store.writeSmall('out/new', '')).rejects.toMatchObject(refused);
    await expect(store.writeSmall('out/deep/new', '')).rejects.toMatchObject(refused);
    await expect(store.remove('out/secret')).rejects.toMatchObject(refused);
    await expect(pathsUnder('out')).rejects.toMatchObject(refused);
    await expect(text('link')).rejects.toMatchObject(refused);
    await expect(store.stat('link')).rejects.toMatchObject(refused);
    expect(await pathsUnder('')).toEqual(['inside/x']);
    expect(await readdir(join(base, 'outside'))).toEqual(['secret']);
  });

  test('a link to nowhere is missing, and nothing is created behind it', async () => {
    await mkdir(root);
    await symlink(join(base, 'nowhere'), join(root, 'out'));
    expect(await store.readSmall('out/x')).toBeNull();
    await expect(store.writeSmall('out/x', '')).rejects.toMatchObject({ type: 'StorageMismatch' });
    await expect(stat(join(base, 'nowhere'))).rejects.toThrow('ENOENT');
  });

  test('a link within the root and a linked root are fine', async () => {
    await store.writeSmall('a/x', 'here');
    await symlink(join(root, 'a'), join(root, 'b'));
    expect(await text('b/x')).toBe('here');
    await symlink(root, join(base, 'alias'));
    const alias = openFileStore(join(base, 'alias'));
    await alias.writeSmall('c/y', 'through the alias');
    expect(await text('c/y')).toBe('through the alias');
  });
});

describe('identity', () => {
  test('is made once, however many ask at once, and stays', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => openFileStore(root).identity()));
    expect(new Set(ids).size).toBe(1);
    expect(await store.identity()).toBe(ids[0]);
    const stored: unknown = JSON.parse(await text('store.json'));
    expect(stored).toEqual({ id: ids[0], version: 1 });
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });

  test('is another one once the store was lost', async () => {
    const first = await store.identity();
    await rm(root, { recursive: true });
    expect(await store.identity()).not.toBe(first);
  });

  test.each(['', '{}', '{"id":"x","version":2}', '{"id":1,"version":1}'])(
    'store.json of %j is a mismatch',
    async (content) => {
      await store.writeSmall('store.json', content);
      await expect(store.identity()).rejects.toMatchObject({ type: 'StorageMismatch', path: 'store.json' });
    },
  );
});

describe('names', () => {
  test('files have URIs that people can open', () => {
    expect(openFileStore('/data/my store').uriOf('nightly-2026-11-22T12:00:00Z/results.jsonl')).toBe(
      'file:///data/my%20store/nightly-2026-11-22T12:00:00Z/results.jsonl',
    );
    expect(openFileStore('file:///data/store/').uri).toBe('file:///data/store');
    expect(() => store.uriOf('../x')).toThrow('".."');
  });

  test('a place that is no file store is refused with the reason', () => {
    expect(openStore('/data/x').uri).toBe('file:///data/x');
    for (const location of ['relative', 's3://bucket/x', 'file://host/x']) {
      expect(() => openStore(location)).toThrow(
        expect.objectContaining({ type: 'InvalidInput', path: location }),
      );
    }
    expect(() => openStore('s3://bucket')).toThrow('file:// stores only');
  });
});
