import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../schemas/config.js';

const KEY = Buffer.alloc(32, 7).toString('base64');

describe('parseConfig', () => {
  it('has a default for everything', () => {
    expect(parseConfig({})).toEqual({
      ok: true,
      config: {
        store: null,
        home: '.longhaul',
        fileRoots: [],
        createSettleMs: 120_000,
        cancelWaitMs: 900_000,
        logLevel: 'info',
        mistral: { apiKey: null, baseUrl: 'https://api.mistral.ai' },
        requestsPerSecond: null,
        deployment: null,
        codecKeys: null,
        codecKeysFile: null,
      },
    });
  });

  it('reads every variable, and ignores those of others', () => {
    const result = parseConfig({
      LONGHAUL_STORE: 's3://bucket/prefix',
      LONGHAUL_HOME: '/var/lib/longhaul',
      LONGHAUL_FILE_ROOTS: '/data:/srv/in:',
      LONGHAUL_CREATE_SETTLE: '90s',
      LONGHAUL_CANCEL_WAIT: '1h',
      LONGHAUL_LOG_LEVEL: 'debug',
      LONGHAUL_REQUESTS_PER_SECOND: '0.5',
      LONGHAUL_DEPLOYMENT: 'longhaul',
      LONGHAUL_BUILD_ID: '0.2.0-rc.1+7f3a',
      LONGHAUL_CODEC_KEYS: ` new:${KEY}, old:${KEY} `,
      MISTRAL_API_KEY: 'abc123\n',
      MISTRAL_BASE_URL: 'http://127.0.0.1:4010',
      PATH: '/bin',
    });
    expect(result).toEqual({
      ok: true,
      config: {
        store: 's3://bucket/prefix',
        home: '/var/lib/longhaul',
        fileRoots: ['/data', '/srv/in'],
        createSettleMs: 90_000,
        cancelWaitMs: 3_600_000,
        logLevel: 'debug',
        mistral: { apiKey: 'abc123', baseUrl: 'http://127.0.0.1:4010' },
        requestsPerSecond: 0.5,
        deployment: { name: 'longhaul', buildId: '0.2.0-rc.1+7f3a' },
        codecKeys: `new:${KEY}, old:${KEY}`,
        codecKeysFile: null,
      },
    });
  });

  it('takes an empty variable for one that is not set', () => {
    const empty = {
      MISTRAL_API_KEY: '',
      LONGHAUL_STORE: ' ',
      LONGHAUL_CANCEL_WAIT: '',
      LONGHAUL_HOME: undefined,
    };
    expect(parseConfig(empty)).toEqual(parseConfig({}));
  });

  it.each([
    ['LONGHAUL_STORE', '/var/lib/longhaul', 'must be a URI'],
    ['LONGHAUL_CREATE_SETTLE', '120', 'must be a duration above zero'],
    ['LONGHAUL_CREATE_SETTLE', '999ms', 'must be 1s or more'],
    ['LONGHAUL_CANCEL_WAIT', '0s', 'must be a duration above zero'],
    ['LONGHAUL_LOG_LEVEL', 'loud', 'must be one of trace, debug, info'],
    ['LONGHAUL_REQUESTS_PER_SECOND', '0', 'must be a number above zero'],
    ['LONGHAUL_REQUESTS_PER_SECOND', '1e3', 'must be a number above zero'],
    ['LONGHAUL_DEPLOYMENT', 'long.haul', 'must be letters'],
    ['LONGHAUL_BUILD_ID', 'a:b', 'must be letters'],
    ['MISTRAL_BASE_URL', 'api.mistral.ai', 'must be an address such as'],
    ['MISTRAL_BASE_URL', 'https://user:pass@api.mistral.ai', 'without user name'],
    ['MISTRAL_API_KEY', 'two words', 'has a blank'],
  ])('names the variable: %s=%s', (name, value, message) => {
    const result = parseConfig({ [name]: value });
    expect(result).toMatchObject({
      ok: false,
      problems: [{ path: name, message: expect.stringContaining(message) }],
    });
  });

  it('takes a worker’s deployment and its build only together', () => {
    const half = { ok: false, problems: [{ path: 'LONGHAUL_DEPLOYMENT' }] };
    expect(parseConfig({ LONGHAUL_DEPLOYMENT: 'longhaul' })).toMatchObject(half);
    expect(parseConfig({ LONGHAUL_BUILD_ID: '0.2.0' })).toMatchObject(half);
  });

  it.each([
    ['0.17', {}, true],
    ['0.16', {}, false],
    ['0.01', { LONGHAUL_CREATE_SETTLE: '1h' }, false],
    ['2', { LONGHAUL_CREATE_SETTLE: '10s' }, true],
    ['1.99', { LONGHAUL_CREATE_SETTLE: '10s' }, false],
    ['20', { LONGHAUL_CREATE_SETTLE: '1s' }, true],
    ['19', { LONGHAUL_CREATE_SETTLE: '1s' }, false],
  ])('takes no rate so low that a create never has its turn: %s with %j', (rate, settle, ok) => {
    expect(parseConfig({ LONGHAUL_REQUESTS_PER_SECOND: rate, ...settle }).ok).toBe(ok);
  });

  it('says what rate is the lowest, and by which setting', () => {
    const message =
      'must be at least 0.17 with LONGHAUL_CREATE_SETTLE at 2m: a create has 1m to get its turn';
    expect(parseConfig({ LONGHAUL_REQUESTS_PER_SECOND: '0.01' })).toEqual({
      ok: false,
      problems: [{ path: 'LONGHAUL_REQUESTS_PER_SECOND', message }],
    });
  });

  it('never repeats the key', () => {
    expect(JSON.stringify(parseConfig({ MISTRAL_API_KEY: 'secret key' }))).not.toContain('secret');
  });
});
