import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { assertHasRows, openInputSource } from '../../cli/input-source.js';

test('an input whose path leads over links is looked at like any other', async () => {
  const base = await mkdtemp(join(tmpdir(), 'longhaul-input-source-'));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  await mkdir(join(base, 'real'));
  await writeFile(join(base, 'real/rows.jsonl'), '{"body":{}}\n');
  await writeFile(join(base, 'real/blank.jsonl'), '\n\n');
  await symlink(join(base, 'real'), join(base, 'folder'));
  await symlink(join(base, 'real/rows.jsonl'), join(base, 'file.jsonl'));
  const look = async (name: string) => {
    const path = join(base, name);
    await assertHasRows(path, await openInputSource(path, base));
  };
  await look('folder/rows.jsonl');
  await look('file.jsonl');
  await expect(look('folder/blank.jsonl')).rejects.toMatchObject({ type: 'InvalidInput' });
});

test('a compressed input is told by its first bytes when its name does not say so', async () => {
  const base = await mkdtemp(join(tmpdir(), 'longhaul-input-source-'));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const compressed = gzipSync('{"body":{}}\n');
  await writeFile(join(base, 'rows.jsonl'), compressed);
  await writeFile(join(base, 'rows.jsonl.gz'), compressed);
  await expect(openInputSource(join(base, 'rows.jsonl'), base)).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringMatching(/rows\.jsonl: it is compressed; .* \.gz, .*`gunzip -c`\.$/) as string,
  });
  const named = join(base, 'rows.jsonl.gz');
  await assertHasRows(named, await openInputSource(named, base));
});

test('an input without a name is not the folder that one is in', async () => {
  for (const name of ['', ' ']) {
    await expect(openInputSource(name, tmpdir())).rejects.toThrow('The input has no name');
  }
});
