import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
