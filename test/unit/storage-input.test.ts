import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFileStore } from '../../storage/file.js';
import { hashInput, openInput, type Input } from '../../storage/input.js';
import type { Store } from '../../storage/store.js';
import { formatFileUri } from '../../storage/uri.js';

let base: string;
let root: string;
let store: Store;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'longhaul-input-'));
  root = join(base, 'inputs');
  store = openFileStore(join(base, 'store'));
  await mkdir(root);
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

const open = (uri: string, roots: readonly string[] = [root]) => openInput(uri, { roots, store });

async function content(input: Input): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of input.stream()) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

async function put(name: string, bytes: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await writeFile(path, bytes);
  return path;
}

describe('an input', () => {
  test('is read by path and by URI, again and again', async () => {
    const path = await put('my rows #1.jsonl', '{"body":{}}\n');
    for (const uri of [path, formatFileUri(path)]) {
      const input = await open(uri);
      expect(input.bytes).toBe(12);
      expect(await content(input)).toBe('{"body":{}}\n');
      expect(await content(input)).toBe('{"body":{}}\n');
    }
  });

  test('in the store is allowed without roots', async () => {
    await store.writeSmall('staged/input.jsonl', 'rows');
    expect(await content(await open(store.uriOf('staged/input.jsonl'), []))).toBe('rows');
    expect(await content(await open(join(base, 'store/staged/input.jsonl'), []))).toBe('rows');
  });

  test('in a store that is no folder is read through the store', async () => {
    await store.writeSmall('staged/a b.jsonl', 'rows');
    const remote: Store = {
      uri: 's3://bucket/longhaul',
      uriOf: (path) => `s3://bucket/longhaul/${path.replaceAll(' ', '%20')}`,
      identity: () => store.identity(),
      stat: (path) => store.stat(path),
      read: (path, range) => store.read(path, range),
      readSmall: (path) => store.readSmall(path),
      openWriter: (path, options) => store.openWriter(path, options),
      writeSmall: (path, bytes, options) => store.writeSmall(path, bytes, options),
      list: (prefix) => store.list(prefix),
      remove: (path) => store.remove(path),
      move: (path, to) => store.move(path, to),
      removeUnfinished: (prefix) => store.removeUnfinished(prefix),
    };
    const openRemote = (uri: string) => openInput(uri, { roots: [root], store: remote });
    const input = await openRemote('s3://bucket/longhaul/staged/a%20b.jsonl');
    expect(input.bytes).toBe(4);
    expect(await content(input)).toBe('rows');
    await expect(openRemote('s3://bucket/longhaul/gone')).rejects.toMatchObject({ type: 'InvalidInput' });
    for (const uri of [
      's3://bucket/longhaul-2/x',
      's3://other/x',
      's3://bucket/longhaul/a%2Fb',
      's3://bucket/longhaul/%zz',
    ]) {
      await expect(openRemote(uri)).rejects.toMatchObject({ type: 'InputNotAllowed', path: uri });
    }
  });

  test('stops at an abort with its reason', async () => {
    const input = await open(await put('x.jsonl.gz', gzipSync(Buffer.alloc(5_000_000))));
    const reason = new Error('no longer wanted');
    await expect(
      (async () => {
        for await (const chunk of input.stream(AbortSignal.abort(reason))) expect(chunk).toBeDefined();
      })(),
    ).rejects.toBe(reason);
  });
});

describe('a compressed input', () => {
  test('is decompressed on the way, members one after another too', async () => {
    const rows = '{"body":{}}\n'.repeat(200_000);
    const path = await put('rows.jsonl.GZ', Buffer.concat([gzipSync(rows), gzipSync('last')]));
    const input = await open(path);
    expect(input.bytes).toBeLessThan(rows.length / 10);
    expect(await content(input)).toBe(`${rows}last`);
  });

  test('that is cut off, or none, is named', async () => {
    const whole = gzipSync('{"body":{}}\n'.repeat(1000));
    for (const [name, bytes] of Object.entries({
      'cut.gz': whole.subarray(0, whole.length - 10),
      'text.gz': '{"body":{}}\n',
      'bad.gz': Buffer.concat([whole.subarray(0, 40), Buffer.alloc(40, 1)]),
    })) {
      const input = await open(await put(name, bytes));
      await expect(content(input)).rejects.toMatchObject({
        type: 'InvalidInput',
        message: expect.stringMatching(new RegExp(`${name} is not a whole gzip file .*Compress it again`)),
      });
    }
  });

  test('whose reader stops early leaves no file open', async () => {
    const input = await open(await put('x.gz', gzipSync(Buffer.alloc(20_000_000))));
    const before = (await readdir('/dev/fd')).length;
    for (let count = 0; count < 5; count += 1) {
      for await (const chunk of input.stream()) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    }
    expect((await readdir('/dev/fd')).length).toBe(before);
  });
});

describe('what workers may not read', () => {
  test('is refused by name of the setting, whether it exists or not', async () => {
    await writeFile(join(base, 'secret'), 'secret');
    await mkdir(join(base, 'inputs-2'));
    await writeFile(join(base, 'inputs-2/x'), '');
    await symlink(join(base, 'secret'), join(root, 'link'));
    await symlink(base, join(root, 'up'));
    for (const path of [
      'secret',
      'missing',
      'inputs-2/x',
      'inputs/link',
      'inputs/up/secret',
      'inputs/up/missing',
      'inputs/../secret',
    ]) {
      const uri = `${base}/${path}`;
      await expect(open(uri)).rejects.toMatchObject({
        type: 'InputNotAllowed',
        path: uri,
        message: expect.stringMatching(/LONGHAUL_FILE_ROOTS/),
      });
    }
    await expect(open(join(root, 'x'), [])).rejects.toThrow('none are set');
    await expect(open(join(root, 'x'), [join(base, 'no such root')])).rejects.toMatchObject({
      type: 'InputNotAllowed',
    });
  });

  test('links that stay within the roots are fine, and so are linked roots', async () => {
    await put('real.jsonl', 'rows');
    await symlink(join(root, 'real.jsonl'), join(root, 'link.jsonl'));
    await symlink(root, join(base, 'alias'));
    expect(await content(await open(join(root, 'link.jsonl')))).toBe('rows');
    expect(await content(await open(join(root, 'real.jsonl'), [join(base, 'alias')]))).toBe('rows');
    expect(await content(await open(join(base, 'alias/real.jsonl')))).toBe('rows');
    expect(await content(await open(join(root, 'real.jsonl'), ['/']))).toBe('rows');
  });
});

describe('what can’t be read', () => {
  test('is named with the reason', async () => {
    await mkdir(join(root, 'folder'));
    await put('file', '');
    await symlink(join(root, 'nowhere'), join(root, 'dangling'));
    await symlink(join(root, 'circle'), join(root, 'circle'));
    spawnSync('mkfifo', [join(root, 'pipe')]);
    const reasons = {
      missing: 'does not exist',
      'file/x': 'does not exist',
      dangling: 'does not exist',
      folder: 'is a directory',
      pipe: 'not a regular file',
      circle: 'circle',
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const uri = join(root, name);
      await expect(open(uri)).rejects.toMatchObject({
        name: 'StorageError',
        type: 'InvalidInput',
        path: uri,
        message: expect.stringMatching(new RegExp(`^Can't read the input ${uri}: .*${reason}`)),
      });
      await expect(hashInput(uri)).rejects.toMatchObject({ type: 'InvalidInput' });
    }
  });

  test('includes URIs that a parser would have to guess about', async () => {
    for (const uri of [
      'file://host/x',
      `file://${root}/a%2Fb`,
      `file://${root}/x?y`,
      `file://${root}/../x`,
      'relative/x',
    ]) {
      await expect(open(uri)).rejects.toMatchObject({ type: 'InvalidInput', path: uri });
    }
  });
});

describe('the hash of an input', () => {
  test('is that of the raw bytes, by URI, absolute and relative path, through links', async () => {
    const bytes = gzipSync('{"body":{}}\n');
    const path = await put('rows: a.jsonl.gz', bytes);
    await symlink(path, join(root, 'link.gz'));
    const expected = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
    for (const input of [path, formatFileUri(path), relative(process.cwd(), path), join(root, 'link.gz')]) {
      expect(await hashInput(input)).toEqual(expected);
    }
  });

  test('is refused for what is no file', async () => {
    for (const input of ['s3://bucket/x', 'file://host/x', 'https://example.com/x']) {
      await expect(hashInput(input)).rejects.toMatchObject({ type: 'InvalidInput', path: input });
    }
  });
});
