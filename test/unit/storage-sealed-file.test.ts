import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFileStore } from '../../storage/file.js';

async function sealed(text: string) {
  const root = await mkdtemp(join(tmpdir(), 'longhaul-sealed-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const writer = await openFileStore(root).openWriter('b/answers.jsonl');
  await writer.write(text);
  const path = join(root, 'b/answers.jsonl');
  return { file: await writer.seal(), path, files: () => readdir(join(root, 'b')) };
}

it('a file that is published and kept can be published over what came after it', async () => {
  const { file, path, files } = await sealed('first');
  await file.publishAndKeep();
  await rm(path);
  await mkdir(path);
  await rm(path, { recursive: true });
  await file.publish();
  await file.discard();
  expect(await readFile(path, 'utf8')).toBe('first');
  expect(await files()).toEqual(['answers.jsonl']);
});

it('one that stands where it was published leaves no second name', async () => {
  const { file, files } = await sealed('first');
  await file.publishAndKeep();
  await file.publish();
  await file.discard();
  expect(await files()).toEqual(['answers.jsonl']);
});

it('one that is kept and then discarded stays published', async () => {
  const { file, path, files } = await sealed('first');
  await file.publishAndKeep();
  await file.discard();
  expect(await readFile(path, 'utf8')).toBe('first');
  expect(await files()).toEqual(['answers.jsonl']);
});

it('one that can’t be published leaves nothing', async () => {
  const { file, path, files } = await sealed('first');
  await mkdir(path);
  await expect(file.publishAndKeep()).rejects.toThrow();
  await file.discard();
  expect(await files()).toEqual(['answers.jsonl']);
});
