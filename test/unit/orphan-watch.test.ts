import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isAlive } from '../../dev/process-identity.js';

const WATCH = new URL('../support/orphan-watch.ts', import.meta.url).href;
const LIMIT = { timeout: 15_000, interval: 50 };

/** In vitest's place: starts a program that nothing else would end, says its process id, and ends in order when told to. */
const RUN = `
import { spawn } from 'node:child_process';
import { setup, teardown } from '${WATCH}';
setup();
const [script] = process.argv.slice(1);
const options = { detached: true, stdio: 'ignore', env: { PATH: process.env.PATH } };
const program = spawn('sh', ['-c', script], options);
program.unref();
console.log(program.pid);
process.stdin.once('data', () => { teardown(); process.stdin.destroy(); });
`;

let folder: string;
let run: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-orphans-'));
});
afterEach(async () => {
  run?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Returns the process id of the program that the run has started. */
async function startRun(script: string): Promise<{ run: ChildProcess; program: number }> {
  // Without the mark of the run that this test belongs to.
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('-test-run-'));
  const args = ['--import', 'tsx', '--input-type=module', '--eval', RUN, script];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  run = child;
  for await (const line of createInterface({ input: child.stdout }))
    return { run: child, program: Number(line) };
  throw new Error('the run ended without a word');
}

test('a run that is killed leaves nothing of what it started, and takes nothing else along', async () => {
  const bystander = spawn('sleep', ['3600'], { stdio: 'ignore' });
  try {
    const started = await startRun('sleep 3600; true');
    expect(isAlive(started.program)).toBe(true);
    started.run.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(started.program)).toBe(false), LIMIT);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  } finally {
    bystander.kill();
  }
});

test('what a run that ended in order leaves behind has time to end by itself', async () => {
  const mark = join(folder, 'ended-by-itself');
  const started = await startRun(`sleep 2; touch '${mark}'`);
  started.run.stdin?.write('end\n');
  await once(started.run, 'exit');
  await vi.waitFor(() => access(mark), LIMIT);
});
