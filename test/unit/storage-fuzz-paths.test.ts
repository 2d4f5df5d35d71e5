import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { StorageError } from '../../storage/errors.js';
import { openFileStore } from '../../storage/file.js';
import { inputBaseName, inputUriOf } from '../../storage/input-uri.js';
import { hashInput, openInput } from '../../storage/input.js';
import { parseFileLocation } from '../../storage/uri.js';
import { corpus } from '../support/corpus.js';

/* Paths and URIs of all kinds, against a folder that has everything around it which could lead out of it. */

let base: string;
let root: string;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-paths-')));
  root = join(base, 'root');
  await mkdir(join(root, 'folder'), { recursive: true });
  await mkdir(join(base, 'outside'));
  await mkdir(join(base, 'root-2'));
  for (const secret of ['outside/secret', 'root-2/secret', 'secret']) {
    await writeFile(join(base, secret), 'SECRET');
  }
  for (const name of ['inside', 'folder/inside', 'folder/%2e%2e', 'a?b', 'ünï #1', '..%2Foutside']) {
    await writeFile(join(root, name), 'INSIDE');
  }
  await symlink(join(base, 'outside'), join(root, 'link-out'));
  await symlink(join(base, 'outside/secret'), join(root, 'link-file'));
  await symlink('..', join(root, 'up'));
  await symlink('folder', join(root, 'link-in'));
  await symlink('circle', join(root, 'circle'));
  await symlink('/dev/zero', join(root, 'zero'));
  await symlink('/proc/self/environ', join(root, 'environ'));
  spawnSync('mkfifo', [join(root, 'pipe')]);
});
afterAll(() => rm(base, { recursive: true, force: true }));

const PREFIXES = ['file://', 'FILE://', 'file:', 'file:/', 'file:///', 'file://localhost', 'file://host', ''];
const SEGMENTS = [
  'inside',
  'folder',
  'secret',
  'outside',
  'root',
  'root-2',
  'link-out',
  'link-file',
  'link-in',
  'up',
  'circle',
  'zero',
  'environ',
  'pipe',
  '..',
  '.',
  '',
  '%2e%2e',
  '%2E.',
  '%252e%252e',
  '..%2f',
  '..%5c',
  '..\\outside',
  '%00',
  'inside\0',
  'inside%00.jsonl',
  '?x',
  '#x',
  '%ff',
  '%c0%ae%c0%ae',
  '%',
  '\u2025',
  '．．',
  'n'.repeat(300),
  '\u001b[2J',
  '~',
  '$HOME',
];

/** Mostly right, so that some get through. */
const sound = fc
  .tuple(
    fc.constantFrom('file://', ''),
    fc.array(fc.constantFrom('folder', 'link-in', '.', ''), { maxLength: 2 }),
  )
  .map(([prefix, segments]) => [prefix, ...segments, 'inside']);

/** A prefix and segments below the root, as a corpus entry has them. */
const odd = fc
  .tuple(
    fc.constantFrom(...PREFIXES),
    fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...SEGMENTS) }, fc.string()), { maxLength: 6 }),
  )
  .map(([prefix, segments]) => [prefix, ...segments]);

const location = fc.oneof({ weight: 9, arbitrary: odd }, { weight: 1, arbitrary: sound });

const CORPUS = corpus('paths', z.array(z.string()).min(1));

function uriOf([prefix = '', ...segments]: readonly string[]): string {
  return `${prefix}${[root, ...segments].join('/')}`;
}

async function contentOf(uri: string): Promise<string> {
  const input = await openInput(uri, { roots: [root], store: openFileStore(join(base, 'store')) });
  const chunks: Uint8Array[] = [];
  for await (const chunk of input.raw()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('an input is a file below the root, or refused with words', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(location, async (parts) => {
      const uri = uriOf(parts);
      try {
        expect(await contentOf(uri)).toBe('INSIDE');
        read += 1;
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        expect(['InvalidInput', 'InputNotAllowed']).toContain(error.type);
      }
    }),
    { examples: CORPUS, numRuns: 3000 },
  );
  // The grammar is not so odd that nothing gets through.
  expect(read).toBeGreaterThan(50);
});

test('what lies outside is never told apart from what is not there', async () => {
  for (const place of ['outside', 'root-2', '.', 'outside/..']) {
    const said = async (name: string): Promise<string> => {
      const uri = `${base}/${place}/${name}`;
      const error: unknown = await contentOf(uri).catch((thrown: unknown) => thrown);
      return String(error).replaceAll(uri, 'it');
    };
    const missing = await said('missing');
    expect(missing).toContain('is not in a folder that workers may read');
    for (const name of ['secret', 'secret/deeper', 'n'.repeat(300)]) expect(await said(name)).toBe(missing);
  }
});

test('a client’s own input is a regular file, or refused with words', async () => {
  await fc.assert(
    fc.asyncProperty(location, async (parts) => {
      const uri = uriOf(parts);
      expect(inputUriOf(uri)).toMatch(/^[A-Za-z][A-Za-z0-9+.-]*:/);
      expect(typeof inputBaseName(uri)).toBe('string');
      try {
        expect((await hashInput(uri)).sha256).toMatch(/^[0-9a-f]{64}$/);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        expect(error.type).toBe('InvalidInput');
      }
    }),
    { examples: CORPUS, numRuns: 1500 },
  );
});

test('a location is an absolute path without detours, or refused with a reason', () => {
  fc.assert(
    fc.property(fc.oneof(location.map(uriOf), fc.string(), fc.string({ unit: 'binary' })), (text) => {
      const parsed = parseFileLocation(text);
      if (!parsed.ok) {
        expect(parsed.reason).not.toBe('');
        return;
      }
      expect(parsed.path).toMatch(/^\//);
      expect(parsed.path.split('/')).not.toContain('..');
      expect(parsed.path).not.toContain('\0');
    }),
    { examples: corpus('locations', z.string()), numRuns: 5000 },
  );
});

async function treeOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.toSorted().map(async (path) => `${path} ${await readFile(path, 'utf8')}`));
}

test('a store reads, writes, lists and removes nothing outside of its root', async () => {
  const folder = join(base, 'a-store');
  await mkdir(join(folder, 'batch'), { recursive: true });
  await symlink(join(base, 'outside'), join(folder, 'link-out'));
  await symlink(join(base, 'outside/secret'), join(folder, 'link-file'));
  await symlink('..', join(folder, 'up'));
  await symlink('batch', join(folder, 'link-in'));
  const store = openFileStore(folder);
  const around = async (): Promise<string[]> => [
    ...(await treeOf(join(base, 'outside'))),
    ...(await treeOf(join(base, 'root-2'))),
    ...(await readdir(base)),
  ];
  const before = await around();
  const kinds: string[] = ['StorageDenied', 'StorageMismatch', 'StorageUnavailable'];
  const refusable = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      expect(String(await work())).not.toContain('SECRET');
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      expect(kinds).toContain(error.type);
    }
  };
  await fc.assert(
    fc.asyncProperty(location, async ([, ...segments]) => {
      const path = segments.join('/');
      await refusable(async () => Buffer.from((await store.readSmall(path)) ?? []).toString());
      await refusable(() => store.writeSmall(path, 'written'));
      await refusable(() => store.stat(path));
      await refusable(async () => {
        for await (const { path: listed } of store.list(path)) expect(listed).not.toContain('secret/');
      });
      await refusable(() => store.remove(path));
    }),
    { examples: CORPUS, numRuns: 600 },
  );
  expect(await around()).toEqual(before);
});
