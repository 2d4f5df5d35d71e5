import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileWriter } from '../../storage/file-writer.js';
import { readFileChunks } from '../../storage/file-read.js';
import { openFileStore } from '../../storage/file.js';
import { openInput } from '../../storage/input.js';

/* A path is checked, then opened. In between, somebody who may write there exchanges a folder for a link. */

let base: string;

beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-moved-')));
  await mkdir(join(base, 'root/folder'), { recursive: true });
  await mkdir(join(base, 'outside'));
  await writeFile(join(base, 'root/folder/rows.jsonl'), 'rows');
  await writeFile(join(base, 'outside/rows.jsonl'), 'SECRET');
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function exchange(): Promise<void> {
  await rename(join(base, 'root/folder'), join(base, 'root/was-folder'));
  await symlink(join(base, 'outside'), join(base, 'root/folder'));
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

const open = () =>
  openInput(join(base, 'root/folder/rows.jsonl'), {
    roots: [join(base, 'root')],
    store: openFileStore(join(base, 'store')),
  });

test('an input is not read through a link that was put there after the check', async () => {
  const input = await open();
  expect(await textOf(input.raw())).toBe('rows');
  await exchange();
  for (const stream of [input.raw(), input.stream()]) {
    await expect(textOf(stream)).rejects.toMatchObject({
      type: 'InputNotAllowed',
      message: expect.stringContaining('was moved while it was read'),
    });
  }
});

test('an input that was replaced by another file at its place is read', async () => {
  const input = await open();
  await writeFile(join(base, 'root/folder/new'), 'new rows');
  await rename(join(base, 'root/folder/new'), join(base, 'root/folder/rows.jsonl'));
  // Only as many bytes as there were would be another matter: whoever counts and hashes them notices.
  expect(await textOf(input.raw())).toBe('new rows');
});

test('an input that is removed while it is read is read to its end', async () => {
  const chunks = (await open()).raw()[Symbol.asyncIterator]();
  const first = await chunks.next();
  await rm(join(base, 'root/folder'), { recursive: true });
  expect(Buffer.from(first.value as Uint8Array).toString()).toBe('rows');
  expect(await chunks.next()).toMatchObject({ done: true });
});

test('a file of the store is neither read nor written through such a link', async () => {
  const target = join(base, 'root/folder/rows.jsonl');
  await exchange();
  await expect(textOf(readFileChunks(target))).rejects.toMatchObject({ code: 'EMOVED' });
  const operation = { action: 'write', path: 'folder/rows.jsonl', place: base, target };
  await expect(openFileWriter(operation)).rejects.toMatchObject({
    type: 'StorageDenied',
    message: expect.stringContaining('exchanged while it was opened'),
  });
  expect(await readdir(join(base, 'outside'))).toEqual(['rows.jsonl']);
});
