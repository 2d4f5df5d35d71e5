import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Longhaul } from '../../client/index.js';
import { resolveTarget } from '../../client/target.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'longhaul-target-'));
  for (const name of Object.keys(process.env).filter((key) => key.startsWith('TEMPORAL_'))) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv('TEMPORAL_CONFIG_FILE', join(home, 'temporal.toml'));
  await writeFile(join(home, 'temporal.toml'), '[profile.default]\n');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

function serverFile(content: string): Promise<void> {
  return writeFile(join(home, 'server.json'), content);
}

const SERVER = JSON.stringify({
  address: '127.0.0.1:7999',
  namespace: 'own',
  uiUrl: 'http://127.0.0.1:8999',
});

it('what TEMPORAL_* say is read where the caller has it', async () => {
  const env = {
    TEMPORAL_ADDRESS: 'cloud:7233',
    TEMPORAL_API_KEY: 'temporal-cloud-key',
    TEMPORAL_NAMESPACE: undefined,
  };
  expect(await resolveTarget({ env }, home)).toMatchObject({
    address: 'cloud:7233',
    namespace: 'default',
    connection: { address: 'cloud:7233', apiKey: 'temporal-cloud-key' },
  });
});

describe('Temporal’s address', () => {
  it('is the usual one where nothing says another', async () => {
    const nowhere = join(home, 'missing');
    expect(await resolveTarget({}, nowhere)).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
      uiUrl: null,
    });
  });

  it('is the home’s server’s', async () => {
    await serverFile(SERVER);
    expect(await resolveTarget({}, home)).toMatchObject({
      address: '127.0.0.1:7999',
      namespace: 'own',
      uiUrl: 'http://127.0.0.1:8999',
    });
  });

  it.each(['{"address": "127.0', '{}', '[]'])(
    'is not read from a broken server file: %s',
    async (content) => {
      await serverFile(content);
      expect(await resolveTarget({}, home)).toMatchObject({ address: '127.0.0.1:7233' });
    },
  );

  it('is the configured one before that of the home, the given one before both', async () => {
    await serverFile(SERVER);
    vi.stubEnv('TEMPORAL_ADDRESS', 'cluster:7233');
    vi.stubEnv('TEMPORAL_NAMESPACE', 'prod');
    expect(await resolveTarget({}, home)).toMatchObject({ address: 'cluster:7233', namespace: 'prod' });
    expect(await resolveTarget({ address: 'here:1' }, home)).toMatchObject({
      address: 'here:1',
      namespace: 'default',
    });
    expect(await resolveTarget({ namespace: 'test' }, home)).toMatchObject({ namespace: 'test' });
  });

  it('comes from a profile of temporal.toml, with its key', async () => {
    const toml = '[profile.cloud]\naddress = "cloud:443"\nnamespace = "ns"\napi_key = "secret"\n';
    await writeFile(join(home, 'temporal.toml'), toml);
    expect(await resolveTarget({ profile: 'cloud' }, home)).toMatchObject({
      address: 'cloud:443',
      namespace: 'ns',
      connection: { address: 'cloud:443', apiKey: 'secret', tls: true },
    });
  });

  it('is not configured by a variable that is set to nothing', async () => {
    await serverFile(SERVER);
    vi.stubEnv('TEMPORAL_ADDRESS', ' ');
    vi.stubEnv('TEMPORAL_NAMESPACE', '');
    expect(await resolveTarget({}, home)).toMatchObject({ address: '127.0.0.1:7999', namespace: 'own' });
  });

  it('is an error where the configuration cannot be read', async () => {
    await writeFile(join(home, 'temporal.toml'), '[profile');
    await expect(resolveTarget({}, home)).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});

describe('a client', () => {
  it('connects to nothing before it is asked, and has its store in the home', async () => {
    const client = await Longhaul.connect({ home, address: '127.0.0.1:1' });
    expect(client.storeUri).toBe(`file://${home}/store`);
    await client.close();
    await expect(client.ping()).rejects.toMatchObject({ message: 'this client was closed' });
  });

  describe('of a home’s server', () => {
    const bind = (binding: object) => writeFile(join(home, 'home.json'), JSON.stringify(binding));

    it('has the store and the provider that the home’s worker has', async () => {
      await serverFile(SERVER);
      await bind({ storeUri: `file://${home}/elsewhere`, baseUrl: 'nowhere' });
      await expect(Longhaul.connect({ home })).rejects.toThrow('"nowhere" is no base URL');
      const client = await Longhaul.connect({ home, baseUrl: 'http://127.0.0.1:4010' });
      expect(client.storeUri).toBe(`file://${home}/elsewhere`);
      await client.close();
    });

    it('has what it is told before that, and nothing of a home whose server is not its own', async () => {
      await bind({ storeUri: `file://${home}/elsewhere`, baseUrl: 'nowhere' });
      const away = await Longhaul.connect({ home });
      expect(away.storeUri).toBe(`file://${home}/store`);
      await serverFile(SERVER);
      const own = { store: `file://${home}/own`, baseUrl: 'https://api.mistral.ai' };
      const told = await Longhaul.connect({ home, ...own });
      expect(told.storeUri).toBe(own.store);
      await Promise.all([away.close(), told.close()]);
    });

    it('has the usual ones where the home is bound to nothing that can be read', async () => {
      await serverFile(SERVER);
      await writeFile(join(home, 'home.json'), '{"storeUri": "s3://');
      const client = await Longhaul.connect({ home });
      expect(client.storeUri).toBe(`file://${home}/store`);
      await client.close();
    });
  });

  it.each([
    [{ baseUrl: 'mistral' }, 'base URL'],
    [{ store: 's3://bucket' }, 's3://bucket'],
    [{ store: 'relative' }, 'relative'],
  ])('refuses %j', async (options, words) => {
    await expect(Longhaul.connect({ home, ...options })).rejects.toMatchObject({
      name: 'LonghaulError',
      type: 'InvalidInput',
      message: expect.stringContaining(words),
    });
  });
});

it('a configuration of Temporal without tables is refused in words of its own', async () => {
  await writeFile(join(home, 'temporal.toml'), '# nothing yet\n');
  await expect(resolveTarget({}, home)).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('no table such as [profile.default]') as string,
  });
});

describe('a secret in the configuration of Temporal', () => {
  it.each([
    ['a text without an end', 'api_key = "PLANTED-key'],
    ['a text without a beginning', 'api_key = PLANTED-key'],
    ['an escape in a private key', 'tls = { client_key_data = "PLANTED\\KEY" }'],
    ['a line break in a key', 'api_key = "PLANTED-key\\r"'],
    ['a letter that no header has', 'grpc_meta = { authorization = "Bearer PLANTED-clé" }'],
  ])('is not repeated where it can’t be read or sent: %s', async (_, line) => {
    const file = `[profile.default]\naddress = "127.0.0.1:7233"\n${line}\n`;
    await writeFile(join(home, 'temporal.toml'), file);
    const error: unknown = await resolveTarget({}, home).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'InvalidInput' });
    expect(inspect(error)).not.toContain('PLANTED');
  });

  it('is not repeated where the environment has it', async () => {
    const env = { TEMPORAL_ADDRESS: 'cloud:7233', TEMPORAL_API_KEY: 'PLANTED-key\n' };
    const error: unknown = await resolveTarget({ env }, home).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('the API key has a character that no header may have') as string,
    });
    expect(inspect(error)).not.toContain('PLANTED');
  });
});

it('a mistake in the configuration of Temporal is named by its line', async () => {
  await writeFile(join(home, 'temporal.toml'), '[profile.default]\naddress = nowhere\n');
  await expect(resolveTarget({}, home)).rejects.toThrow('no TOML at line 2, column');
});
