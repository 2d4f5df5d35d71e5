import { spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
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
  await expectAllTickets(ROOT, {
    ...home.env,
    TEMPORAL_ADDRESS: session.address,
    LONGHAUL_STORE: formatFileUri(`${home.path}/store`),
  });
  const jobs = await home.emulator.jobs();
  expect(jobs).toHaveLength(1);
});

test('the backend example runs beside `longhaul dev` in the same folder, without a key or any other variable', async () => {
  const bare = { LONGHAUL_HOME: undefined, MISTRAL_API_KEY: undefined, MISTRAL_BASE_URL: undefined };
  await cp(join(ROOT, 'examples/support-tickets.jsonl'), join(home.folder, 'examples/support-tickets.jsonl'));
  const dev = home.longhaulWith(bare, 'dev', '--json');
  await vi.waitFor(() => expect(dev.stdout, dev.stderr).toContain('"baseUrl":"http://127.0.0.1:'), {
    timeout: 90_000,
  });
  await expectAllTickets(home.folder, { ...home.env, ...bare });
  dev.interrupt();
  await dev.exits(0);
  await home.longhaulWith(bare, 'stop').exits(0);
});

/** Runs the example in a folder. */
async function expectAllTickets(cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const example = join(ROOT, 'examples/backend.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), example], {
    cwd,
    env,
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
}
