import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadContext } from '../../cli/context.js';
import { formatFileUri } from '../../storage/uri.js';

let folder: string;
let home: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-context-')));
  home = join(folder, 'home');
  await mkdir(home);
  for (const name of Object.keys(process.env).filter((key) =>
    /^(?:TEMPORAL_|LONGHAUL_|MISTRAL_)/.test(key),
  )) {
    vi.stubEnv(name, undefined);
  }
  await writeFile(join(folder, 'temporal.toml'), '[profile.default]\n');
  vi.stubEnv('TEMPORAL_CONFIG_FILE', join(folder, 'temporal.toml'));
  vi.stubEnv('LONGHAUL_HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function bindTo(storeUri: string): Promise<void> {
  return writeFile(join(home, 'home.json'), JSON.stringify({ storeUri }));
}

describe('the store of a command without LONGHAUL_STORE', () => {
  it('lies in the home', async () => {
    expect((await loadContext()).storeUri).toBe(formatFileUri(join(home, 'store')));
  });

  it.each(['s3://bucket/batches', 'file'])('is the one that the home is bound to (%s)', async (kind) => {
    await mkdir(join(folder, 'elsewhere'));
    const uri = kind === 'file' ? formatFileUri(join(folder, 'elsewhere')) : kind;
    await bindTo(uri);
    expect((await loadContext()).storeUri).toBe(uri);
  });

  it('is not one that a home was bound to where it lay before', async () => {
    await bindTo(formatFileUri(join(folder, 'former/store')));
    expect((await loadContext()).storeUri).toBe(formatFileUri(join(home, 'store')));
  });

  it('has nothing to do with a home whose file is broken, or with one beside a cluster', async () => {
    await writeFile(join(home, 'home.json'), '{"storeUri": "s3://');
    expect((await loadContext()).storeUri).toBe(formatFileUri(join(home, 'store')));
    await bindTo('s3://bucket/batches');
    vi.stubEnv('TEMPORAL_ADDRESS', 'cluster:7233');
    expect((await loadContext()).storeUri).toBe(formatFileUri(join(home, 'store')));
  });
});

it('a home that is a file, or lies in one, is refused by the variable’s name', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  vi.stubEnv('LONGHAUL_HOME', file);
  await expect(loadContext()).rejects.toMatchObject({
    message: `LONGHAUL_HOME ${file} is a file; name a folder.`,
    exitCode: 2,
  });
  vi.stubEnv('LONGHAUL_HOME', join(file, 'home'));
  await expect(loadContext()).rejects.toMatchObject({
    message: `LONGHAUL_HOME ${join(file, 'home')} can't be a folder: a part of its path is a file.`,
    exitCode: 2,
  });
});

it('a file that is named for Temporal’s address and is not there is no reason for a server of one’s own', async () => {
  vi.stubEnv('TEMPORAL_CONFIG_FILE', join(folder, 'elsewhere.toml'));
  await expect(loadContext()).rejects.toMatchObject({
    type: 'Usage',
    message: expect.stringMatching(/elsewhere\.toml, which TEMPORAL_CONFIG_FILE names/) as string,
  });
});

it('an address of Temporal that is set to nothing is not set', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', ' ');
  expect(await loadContext()).toMatchObject({ mode: 'embedded', address: null });
});

it.each([
  ['an empty file', ''],
  ['a number for an address', '[profile.default]\naddress = 7233\n'],
])('a configuration of Temporal that is no such file is said to be none: %s', async (_, content) => {
  await writeFile(join(folder, 'temporal.toml'), content);
  await expect(loadContext()).rejects.toMatchObject({
    type: 'Usage',
    message: expect.stringMatching(/temporal\.toml.*no table such as \[profile\.default\]/) as string,
  });
});

it('no secret is repeated of a configuration of Temporal that can’t be read', async () => {
  await writeFile(join(folder, 'temporal.toml'), '[profile.default]\napi_key = "PLANTED-key\n');
  const error: unknown = await loadContext().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ type: 'Usage', message: expect.stringContaining('line 2') as string });
  expect(inspect(error)).not.toContain('PLANTED');
});
