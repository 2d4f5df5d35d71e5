import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkOutputPath } from '../../cli/output-file.js';
import { formatFileUri } from '../../storage/uri.js';

let folder: string;
let input: string;
let storeUri: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-output-')));
  input = join(folder, 'rows with spaces.jsonl');
  storeUri = formatFileUri(join(folder, 'store'));
  await writeFile(input, '{"body":{}}\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('the input is not overwritten, whether it is named by path or by URI', async () => {
  await symlink(input, join(folder, 'link.jsonl'));
  for (const name of [input, formatFileUri(input)]) {
    for (const output of [input, join(folder, 'link.jsonl')]) {
      await expect(checkOutputPath(output, name, storeUri)).rejects.toMatchObject({
        message: `--output ${output} is the input itself; name another file.`,
        exitCode: 2,
      });
    }
  }
});

it('another file is taken, and an input that is no file of this machine is in nobody’s way', async () => {
  const output = join(folder, 'answers.jsonl');
  for (const name of [input, formatFileUri(input), 's3://bucket/rows.jsonl', 'file:///gone/rows', null]) {
    await expect(checkOutputPath(output, name, storeUri)).resolves.toBeUndefined();
  }
});

it('no name at all is not taken for the folder of the command', async () => {
  await expect(checkOutputPath('', null, storeUri)).rejects.toMatchObject({
    message: '--output is empty; it needs the name of a file.',
    exitCode: 2,
  });
});
