import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Command } from '../support/e2e-command.js';
import { expectNoProcess, processesOfHome, sigkill } from '../support/e2e-processes.js';
import { parseResults, readRows } from '../support/e2e-rows.js';
import { ROOT } from '../support/repository.js';
import { temporalCliPath } from '../support/servers.js';

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-demo-test-')));
  const { PATH } = process.env;
  // Nobody's configuration; the demo's home and the emulator's files are made below TMPDIR.
  env = { PATH, HOME: folder, TMPDIR: folder, TEMPORAL_CLI_PATH: await temporalCliPath() };
});

afterEach(async () => {
  for (const { pid } of processesOfHome(folder)) sigkill(pid);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** `npm run demo`, without npm between a signal and the demo. */
function startDemo() {
  const child = spawn(process.execPath, ['scripts/demo.mjs'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const demo = { child, text: '' };
  const listen = (text: string): void => void (demo.text += text);
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  return Object.assign(demo, { ended });
}

test('the demo ends well by itself and leaves results, a history and no process', async () => {
  const began = performance.now();
  const demo = startDemo();
  expect(await demo.ended, demo.text).toBe(0);
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(processesOfHome(folder)).toEqual([]);

  const [, announced] = /kill -9 (\d+), the worker/.exec(demo.text) ?? [];
  expect(demo.text).toContain('the worker ended (SIGKILL');
  expect(demo.text).toContain(`killed   process ${announced}, the worker, at `);
  expect(demo.text).toContain(
    '320 of 320 answered, in the order of the input: 300 in round 1, 20 in round 2',
  );
  expect(demo.text).toContain('2 shards, 4 jobs created, 0 duplicates');
  expect(demo.text).toContain('4 files, 0 duplicates');

  const [, home, batchId] = /LONGHAUL_HOME=(\S+) npx longhaul results (\S+)/.exec(demo.text) ?? [];
  if (home === undefined || batchId === undefined) throw new Error(`no command in:\n${demo.text}`);
  const content = await readFile(join(home, 'store', batchId, 'results.jsonl'));
  const rows = await readRows(join(ROOT, 'examples/support-tickets.jsonl'));
  expect(parseResults(content).map((line) => line.custom_id)).toEqual(rows.map((row) => row.custom_id));

  // The commands that it recommends.
  const homeEnv = { ...env, LONGHAUL_HOME: home };
  const results = await new Command(['results', batchId], { cwd: ROOT, env: homeEnv }).exits(0);
  expect(results.stdout).toBe(content.toString('utf8'));
  const status = await new Command(['status', batchId], { cwd: ROOT, env: homeEnv }).exits(0);
  expect(status.stdout + status.stderr).toContain('succeeded');
  const dev = new Command(['dev', '--json'], { cwd: ROOT, env: homeEnv });
  const { uiUrl } = await vi.waitFor(() => JSON.parse(dev.stdout) as { uiUrl: string }, { timeout: 30_000 });
  const workflow = await fetch(`${uiUrl}/api/v1/namespaces/default/workflows/${batchId}`);
  expect(await workflow.text()).toContain('WORKFLOW_EXECUTION_STATUS_COMPLETED');
  dev.interrupt();
  await dev.ended;
  await expectNoProcess(folder);
});

test.each([
  ['Ctrl-C', 'SIGINT', 130],
  ['SIGKILL', 'SIGKILL', 'SIGKILL'],
] as const)('%s in the middle of the demo ends all of it', async (_, signal, code) => {
  const demo = startDemo();
  await vi.waitFor(() => expect(demo.text).toContain('kill -9'), { timeout: 60_000, interval: 100 });
  demo.child.kill(signal);
  expect(await demo.ended, demo.text).toBe(code);
  await expectNoProcess(folder);
  // Killed, it can't tidy up its folder either.
  const left = (await readdir(folder)).filter((name) => name.startsWith('longhaul-demo-'));
  expect(left).toHaveLength(signal === 'SIGKILL' ? 1 : 0);
});
