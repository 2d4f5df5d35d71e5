import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Longhaul } from '../../client/index.js';
import { startTlsFront, TestCertificates } from '../support/e2e-tls.js';
import type { TlsFront } from '../support/e2e-tls.js';
import { temporalCliPath } from '../support/servers.js';
import { CliFolder, manifestOf, QUICK } from './cli-support.js';

/* A Temporal behind TLS, as a hosted or a hardened one is: with an authority of its own, client certificates, API keys. */

const API_KEY = 'temporal-key-5d1f';
/** Commands wait ten seconds for a server that may still come; the rest is for machines that are busy. */
const SOON_MS = 45_000;

let cli: CliFolder;
let server: TestWorkflowEnvironment;
let certificates: TestCertificates;
let front: TlsFront;
let mutual: TlsFront;
let keyed: TlsFront;
let elsewhere: TlsFront;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const executable = { type: 'existing-path', path: await temporalCliPath() } as const;
  server = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  cli = await CliFolder.create();
  certificates = new TestCertificates(cli.folder);
  certificates.authority('ca');
  certificates.authority('stranger');
  certificates.certificate('server', 'ca', 'subjectAltName=DNS:temporal.test,IP:127.0.0.1');
  certificates.certificate('elsewhere', 'ca', 'subjectAltName=DNS:elsewhere.test');
  certificates.certificate('client', 'ca', 'extendedKeyUsage=clientAuth');
  certificates.certificate('intruder', 'stranger', 'extendedKeyUsage=clientAuth');
  const here = { key: certificates.read('server.key'), cert: certificates.read('server.pem') };
  const there = { key: certificates.read('elsewhere.key'), cert: certificates.read('elsewhere.pem') };
  const asking = { ca: certificates.read('ca.pem'), requestCert: true, rejectUnauthorized: true };
  front = await startTlsFront(server.address, here);
  mutual = await startTlsFront(server.address, { ...here, ...asking });
  keyed = await startTlsFront(server.address, { ...here, apiKey: API_KEY });
  elsewhere = await startTlsFront(server.address, there);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const one of [front, mutual, keyed, elsewhere]) await one.close();
  await cli.remove();
  await server.teardown();
});

function at({ address }: TlsFront, variables: Record<string, string> = {}): Record<string, string> {
  return { TEMPORAL_ADDRESS: address, LONGHAUL_STORE: `file://${cli.folder}/store`, ...variables };
}

const file = (name: string): string => certificates.path(name);

function withAuthority(): Record<string, string> {
  return { TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.pem') };
}

function withClient(name: string): Record<string, string> {
  return {
    ...withAuthority(),
    TEMPORAL_TLS_CLIENT_CERT_PATH: file(`${name}.pem`),
    TEMPORAL_TLS_CLIENT_KEY_PATH: file(`${name}.key`),
  };
}

/** Runs a batch by a worker and commands that are given nothing but these variables. */
async function runBatch(name: string, env: Record<string, string>): Promise<void> {
  const worker = cli.start(['worker'], { env });
  await worker.said('stderr', /worker is polling/);
  const run = await cli.start(['run', await cli.input(`${name}.jsonl`, 3), ...QUICK, '--json'], { env })
    .ended;
  expect(run.code, run.stderr).toBe(0);
  expect(manifestOf(run).outcome).toBe('succeeded');
  const doctor = await cli.start(['doctor'], { env }).ended;
  expect(doctor.code, doctor.stdout).toBe(0);
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
}

describe('worker, client and command line reach a Temporal', () => {
  it('with an authority of its own, by a profile of temporal.toml', async () => {
    const config = join(cli.folder, 'temporal.toml');
    const profile = [
      '[profile.prod]',
      `address = "${front.address}"`,
      'namespace = "default"',
      '[profile.prod.tls]',
      `server_ca_cert_path = "${file('ca.pem')}"`,
    ];
    await writeFile(config, profile.join('\n'));
    const { TEMPORAL_ADDRESS: _, ...env } = at(front);
    const profiled = { ...env, TEMPORAL_CONFIG_FILE: config, TEMPORAL_PROFILE: 'prod' };
    const setup = await cli.start(['setup'], { env: profiled }).ended;
    expect([setup.code, setup.stderr]).toEqual([0, expect.not.stringContaining('Warning')]);
    await runBatch('profile', profiled);
    vi.stubEnv('TEMPORAL_CONFIG_FILE', config);
    const client = await Longhaul.connect({ profile: 'prod', home: cli.home });
    await client.ping();
    await client.close();
    vi.unstubAllEnvs();
  });

  it('that asks for client certificates', () => runBatch('mutual', at(mutual, withClient('client'))));

  it('under another name than its certificate’s, when told that name', () =>
    runBatch('named', at(elsewhere, { ...withAuthority(), TEMPORAL_TLS_SERVER_NAME: 'elsewhere.test' })));

  it('that asks for an API key, which goes to nobody else', async () => {
    await runBatch('keyed', at(keyed, { ...withAuthority(), TEMPORAL_API_KEY: API_KEY }));
    expect(keyed.authorizations).toEqual(new Set([`Bearer ${API_KEY}`]));
    expect([...front.authorizations, ...mutual.authorizations]).toEqual([]);
  });
});

describe.concurrent('what is wrong with a connection is said soon, by commands and by the worker', () => {
  const cases: readonly (readonly [string, () => Record<string, string>, RegExp])[] = [
    [
      'an unknown authority',
      () => at(front, { TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('stranger.pem') }),
      /nobody who is trusted here vouches .* TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
    ],
    ['no authority', () => at(front, { TEMPORAL_TLS: 'true' }), /nobody who is trusted here vouches/],
    ['no client certificate', () => at(mutual, withAuthority()), /asks for a client’s certificate: set/],
    [
      'a client certificate of another authority',
      () => at(mutual, withClient('intruder')),
      /refuses? the certificate of TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ],
    [
      'a wrong host name',
      () => at(elsewhere, withAuthority()),
      /not made for 127\.0\.0\.1.*TEMPORAL_TLS_SERVER_NAME/,
    ],
    ['a plain call to a server with TLS', () => at(front), /if it speaks TLS, set TEMPORAL_TLS=true/],
    [
      'TLS to a server without',
      () => ({ ...at(front, withAuthority()), TEMPORAL_ADDRESS: server.address }),
      /does not speak TLS there/,
    ],
    [
      'a wrong API key',
      () => at(keyed, { ...withAuthority(), TEMPORAL_API_KEY: 'temporal-key-wrong' }),
      /refused the call.*no such key/,
    ],
  ];

  it.each(cases)('%s', async (_, variables, words) => {
    const began = Date.now();
    const said = async (...args: readonly string[]) => {
      const { code, stderr } = await cli.start(args, { env: variables() }).ended;
      expect(stderr).toMatch(words);
      expect([args, code]).toEqual([args, 4]);
      expect(stderr).not.toMatch(/\n\s+at |bug|temporal-key/);
    };
    await Promise.all([said('list'), said('worker')]);
    expect(Date.now() - began).toBeLessThan(SOON_MS);
  });

  it('files that are missing or no certificates', async () => {
    await writeFile(file('nonsense.pem'), 'nonsense');
    const env = at(mutual, {
      ...withAuthority(),
      TEMPORAL_TLS_CLIENT_CERT_PATH: file('nonsense.pem'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: file('nonsense.pem'),
    });
    for (const args of [['list'], ['worker']]) {
      const nonsense = await cli.start(args, { env }).ended;
      expect(nonsense.stderr).toContain("can't be set up");
      const missing = { ...env, TEMPORAL_TLS_CLIENT_CERT_PATH: file('missing.pem') };
      const { code, stderr } = await cli.start(args, { env: missing }).ended;
      expect([code, stderr]).toEqual([2, expect.stringContaining('missing.pem')]);
    }
  });
});
