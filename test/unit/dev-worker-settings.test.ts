import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openHome } from '../../dev/home.js';
import { inheritedEnv, mergeSettings, workerVariables } from '../../dev/worker-settings.js';

it('lets only a command with a full worker override what is known', () => {
  const known = { apiKey: 'a', workerEnv: { AWS_REGION: 'x', AWS_PROFILE: 'p' } };
  const asked = { apiKey: 'b', logLevel: 'debug', workerEnv: { AWS_REGION: 'y' } };
  expect(mergeSettings(known, asked, 'full')).toEqual({
    apiKey: 'b',
    logLevel: 'debug',
    workerEnv: { AWS_REGION: 'y', AWS_PROFILE: 'p' },
  });
  for (const need of ['workflow-only', 'none'] as const) {
    expect(mergeSettings(known, asked, need)).toEqual({ ...known, logLevel: 'debug' });
  }
});

it('keeps what is known when a command has no opinion', () => {
  const known = { apiKey: 'a', baseUrl: 'https://api.mistral.ai' };
  expect(mergeSettings(known, {}, 'full')).toEqual(known);
});

it('inherits neither what commands decide on nor another Temporal server', () => {
  expect(
    inheritedEnv({
      PATH: '/bin',
      MISTRAL_API_KEY: 'k',
      LONGHAUL_STORE: 's',
      TEMPORAL_NAMESPACE: 'n',
      AWS_REGION: 'r',
    }),
  ).toEqual({ PATH: '/bin', AWS_REGION: 'r' });
});

it('tells the worker its server, home, role and settings, and leaves out what is not set', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'longhaul-settings-'));
  try {
    const home = await openHome(parent);
    expect(
      workerVariables({ apiKey: 'k', workerEnv: { AWS_REGION: 'r' } }, 'full', home, '127.0.0.1:7'),
    ).toEqual({
      MISTRAL_API_KEY: 'k',
      AWS_REGION: 'r',
      TEMPORAL_ADDRESS: '127.0.0.1:7',
      TEMPORAL_NAMESPACE: 'default',
      LONGHAUL_HOME: home.folder,
      LONGHAUL_WORKER_ROLE: 'full',
    });
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});
