import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeReport, failureDocument, reportOf } from '../../cli/errors.js';
import { crashText } from '../../dev/crash-text.js';
import { forgetSecrets, withoutSecrets } from '../../worker/crash.js';

const SECRET_NAMES =
  /^(?:MISTRAL_API_KEY|LONGHAUL_CODEC_KEYS|TEMPORAL_(?:API_KEY|TLS_CLIENT_KEY_DATA|GRPC_META_AUTHORIZATION)|AWS_SE.*)$/;
const KEY = 'sk-PLANTED-1d8f0c37ab';
const ROW = 'PLANTED row: my grandmother’s address';
const CUSTOM_ID = 'PLANTED-customer-4711';

/** Bugs as parsers, Node and libraries have them, with what they were given in message, cause and properties. */
const BUGS: readonly (readonly [string, () => unknown])[] = [
  ['a parser that quotes a row', () => thrownBy(() => JSON.parse(`${ROW} ${CUSTOM_ID}`))],
  [
    'Node, which quotes an argument',
    () => thrownBy(() => spawnSync('true', { env: { MISTRAL_API_KEY: `${KEY}\0` } })),
  ],
  ['an error whose cause has all', () => new TypeError('x is not a function', { cause: planted() })],
  [
    'an error that carries all',
    () => Object.assign(new RangeError('out of range'), { body: ROW, id: CUSTOM_ID }),
  ],
  ['an AggregateError', () => new AggregateError([planted()], 'several things failed')],
  ['what is no error', () => `${KEY} ${ROW} ${CUSTOM_ID}`],
  ['a library that repeats the key', () => new TypeError(`"Bearer ${KEY}" is an invalid header value.`)],
];

function planted(): Error {
  return Object.assign(new Error(`${KEY} ${ROW} ${CUSTOM_ID}`), { data: { row: ROW } });
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function expectNoSecrets(text: string): void {
  for (const secret of [KEY, ROW, 'grandmother', CUSTOM_ID, 'PLANTED']) expect(text).not.toContain(secret);
}

afterEach(() => vi.unstubAllEnvs());

describe.each(BUGS)('%s', (_, bug) => {
  it.each([false, true])('leaves nothing in what a command prints (debug: %s)', (debug) => {
    vi.stubEnv('MISTRAL_API_KEY', KEY);
    forgetSecrets();
    const error = bug();
    const report = reportOf(error);
    expect(report).toMatchObject({ type: 'Unexpected', unexpected: true, exitCode: 4 });
    expectNoSecrets(withoutSecrets(describeReport(report, error, debug)));
    expectNoSecrets(withoutSecrets(JSON.stringify(failureDocument(report))));
  });
});

it.each(BUGS.slice(0, -1))('the supervisor’s log keeps nothing of %s', (_, bug) => {
  const text = crashText(bug());
  expect(text).toMatch(/^ended by a bug: /);
  expectNoSecrets(text);
});

it('a bug is told with its name, and with its place when debugging', () => {
  const error = new TypeError('x is not a function', { cause: planted() });
  const text = describeReport(reportOf(error), error, true);
  expect(text).toMatch(/TypeError: x is not a function\n +at /);
  expect(crashText(error)).toMatch(/TypeError: x is not a function\n +at /);
});

it('secrets are found as they stood in the environment, each codec key too, and words are left alone', () => {
  const codec = Buffer.alloc(32, 3).toString('base64');
  vi.stubEnv('MISTRAL_API_KEY', 'emulator');
  vi.stubEnv('LONGHAUL_CODEC_KEYS', `here:${codec}`);
  vi.stubEnv('TEMPORAL_API_KEY', 'temporal-cloud-key');
  vi.stubEnv('TEMPORAL_TLS_CLIENT_KEY_DATA', '-----BEGIN KEY-----\nMIIEvPLANTEDkey0\n-----END KEY-----\n');
  vi.stubEnv('TEMPORAL_GRPC_META_AUTHORIZATION', 'Bearer planted-token-1');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'planted/of/the/store');
  vi.stubEnv('AWS_SESSION_TOKEN', 'planted-session-token');
  expect(withoutSecrets(`the emulator has ${codec}`)).toBe('the emulator has [secret]');
  forgetSecrets();
  expect(Object.keys(process.env)).not.toEqual(expect.arrayContaining([expect.stringMatching(SECRET_NAMES)]));
  expect(withoutSecrets('Bearer temporal-cloud-key')).toBe('Bearer [secret]');
  expect(withoutSecrets('refused: planted-token-1')).toBe('refused: [secret]');
  expect(withoutSecrets('bad base64 in MIIEvPLANTEDkey0')).toBe('bad base64 in [secret]');
  expect(withoutSecrets('planted/of/the/store planted-session-token')).toBe('[secret] [secret]');
  expect(withoutSecrets(`the emulator has ${codec}`)).toBe('the emulator has [secret]');
});
