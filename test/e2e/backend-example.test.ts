import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedSession } from '../../dev/embedded.js';
import { formatFileUri } from '../../storage/uri.js';
import { holdHome } from '../support/e2e-embedded.js';
import { E2eHome } from '../support/e2e-home.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let home: E2eHome;
let session: EmbeddedSession;

beforeAll(async () => {
  home = await E2eHome.create({ emulator: { seed: 3, jobSeconds: 1 }, env: { LONGHAUL_FILE_ROOTS: ROOT } });
  session = await holdHome(home);
});

afterAll(async () => {
  await session.close();
  await home.remove();
});

test('the backend example of the README prints an answer for every ticket', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/backend.ts'], {
    cwd: ROOT,
    env: {
      ...home.env,
      TEMPORAL_ADDRESS: session.address,
      LONGHAUL_STORE: formatFileUri(`${home.path}/store`),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const code = await new Promise((resolve) => child.once('close', resolve));

  expect(code, complaints).toBe(0);
  const tickets = [...printed.matchAll(/^ticket-(\d{4}) /gm)].map(([, number]) => Number(number));
  expect(tickets).toEqual(Array.from({ length: 320 }, (_, index) => index + 1));
  const jobs = await home.emulator.jobs();
  expect(jobs).toHaveLength(1);
});
