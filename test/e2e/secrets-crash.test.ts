import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { holdHome } from '../support/e2e-embedded.js';
import { API_KEY, E2eHome } from '../support/e2e-home.js';
import { tcpListeners } from '../support/e2e-listeners.js';
import { pidOf, pidsOf, processesOfHome } from '../support/e2e-processes.js';
import { questions, writeRows } from '../support/e2e-rows.js';
import { E2eTemporal } from '../support/e2e-temporal.js';
import { homeTraces, temporalTraces } from '../support/e2e-traces.js';
import { environmentOf } from '../support/process-table.js';

/*
 * One home whose worker dies in every way and whose supervisor meets a bug, at the most talkative level, with Node's diagnostic reports on and with keys
 * for what Temporal keeps. The tests look at the same run one after the other.
 */

const MARK = 'PLANTED-8080';
const CODEC_KEY = Buffer.alloc(32, 0x5a).toString('base64');
const PRELOAD = fileURLToPath(new URL('../support/crash-on-signal.mjs', import.meta.url));
/** What the bug of `crash-on-signal.mjs` attaches to its error. */
const ATTACHED = 'ATTACHED-8080';
/** In the environment of the first command, for others than Longhaul. */
const OTHERS_SECRET = 'somebody-elses-9f31';

let home: E2eHome;
let said: string;

beforeAll(async () => {
  home = await E2eHome.create({
    emulator: { jobSeconds: 15 },
    env: {
      LONGHAUL_LOG_LEVEL: 'trace',
      LONGHAUL_CODEC_KEYS: `e2e:${CODEC_KEY}`,
      DATABASE_PASSWORD: OTHERS_SECRET,
      E2E_ATTACHED: ATTACHED,
      // SIGWINCH: the SDK takes the usual ones for itself.
      NODE_OPTIONS: `--import=file://${PRELOAD} --report-on-signal --report-signal=SIGWINCH`,
    },
  });
  const input = await writeRows(join(home.folder, 'rows.jsonl'), questions(12, MARK));
  const run = home.run(input, 'crashing');
  await home.emulator.waitFor('createJob', { until: 'effect' });
  // Also when the batch ends sooner than its worker has died often enough.
  const session = await holdHome(home);
  let worker = await pidOf(home.path, 'worker');
  process.kill(worker, 'SIGWINCH');
  await vi.waitFor(async () => expect((await readdir(home.path)).filter(isReport)).not.toEqual([]), {
    timeout: 60_000,
  });
  for (const signal of ['SIGHUP', 'SIGABRT', 'SIGKILL'] as const) {
    process.kill(worker, signal);
    worker = await nextWorker(worker);
  }
  const supervisor = await pidOf(home.path, 'supervisor');
  process.kill(supervisor, 'SIGUSR2');
  await vi.waitFor(() => expect(pidsOf(home.path, 'supervisor')).not.toContain(supervisor), {
    timeout: 60_000,
  });
  await run.exits(0);
  await session.close();
  said = `${run.stdout}\n${run.stderr}`;
});
afterAll(() => home.remove());

/** Ready or not: the supervisor has started another one. */
async function nextWorker(before: number): Promise<number> {
  return vi.waitFor(
    () => {
      const [pid, ...more] = pidsOf(home.path, 'worker');
      if (pid === undefined || pid === before || more.length > 0) throw new Error('no other worker yet');
      return pid;
    },
    { timeout: 60_000, interval: 100 },
  );
}

describe('a home whose processes die', () => {
  it('leaves no row, custom id or key in logs, reports, state files, histories or on the terminal', async () => {
    const session = await holdHome(home);
    const temporal = await E2eTemporal.connect(session.address, session.namespace);
    const traces = [{ where: 'terminal', text: said }, ...(await temporalTraces(temporal))];
    await temporal.close();
    traces.push(...(await homeTraces(home.path)));
    await session.close();
    const textOf = (where: RegExp): string =>
      traces.flatMap((trace) => (where.test(trace.where) ? [trace.text] : [])).join('\n');
    // All of it is there to be searched: the crash was printed, the report has the environment.
    expect(textOf(/^worker\.log/)).toMatch(/ended by a bug: Error: a bug, for a test\n +at /);
    expect(textOf(/^report\..*json$/)).toContain('"environmentVariables"');
    expect(textOf(/^report\..*json$/)).toContain(home.path);
    expect(textOf(/^supervisor\.log/)).toContain('the worker ended');
    expect(textOf(/^supervisor\.log/)).toMatch(/Error: a bug, for a test\n +at /);
    expect(textOf(/^event/).length).toBeGreaterThan(1000);
    for (const secret of [MARK, API_KEY, CODEC_KEY, ATTACHED]) {
      const found = traces.filter(({ text }) => text.includes(secret));
      // The bug's own variable stands in the report beside the others.
      const places = found
        .map(({ where }) => where)
        .filter((where) => secret !== ATTACHED || !isReport(where));
      expect([secret, places]).toEqual([secret, []]);
    }
  });

  it('starts again with the keys, which no other process gets, and none has in its arguments', async () => {
    const session = await holdHome(home);
    const processes = processesOfHome(home.path);
    const withKeys = processes.filter(({ pid }) => {
      const environment = environmentOf(pid);
      return environment.includes(API_KEY) || environment.includes(CODEC_KEY);
    });
    expect(new Set(processes.map(({ role }) => role))).toEqual(
      new Set(['supervisor', 'guard', 'server', 'worker']),
    );
    expect(withKeys.map(({ role }) => role)).toEqual(['worker']);
    const [server = 0] = pidsOf(home.path, 'server');
    expect(environmentOf(server)).not.toMatch(/DATABASE_PASSWORD|NODE_OPTIONS|MISTRAL|LONGHAUL|TEMPORAL/);
    for (const { command } of processes) {
      for (const secret of [API_KEY, CODEC_KEY, OTHERS_SECRET]) expect(command).not.toContain(secret);
    }
    await session.close();
  });

  it('keeps everything for its user alone', async () => {
    const session = await holdHome(home);
    const open: string[] = [];
    for (const entry of await readdir(home.path, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const info = await lstat(path).catch(() => null);
      // Files of the store lie in folders that nobody else may enter.
      if (info === null || (info.isFile() && path.startsWith(join(home.path, 'store/')))) continue;
      // A report is Node's own file.
      if ((info.mode & 0o077) !== 0 && !isReport(entry.name)) {
        open.push(`${path} ${(info.mode & 0o777).toString(8)}`);
      }
    }
    expect(open).toEqual([]);
    expect((await lstat(home.path)).mode & 0o777).toBe(0o700);
    await session.close();
  });

  it('listens, as all processes of the home do, on loopback and on a socket of its user’s alone', async () => {
    const session = await holdHome(home);
    const listeners = tcpListeners(processesOfHome(home.path).map(({ pid }) => pid));
    // The server's own ones, its UI and its metrics.
    expect(listeners.length).toBeGreaterThanOrEqual(3);
    expect(listeners.filter(({ isLoopback }) => !isLoopback)).toEqual([]);
    const socket = await lstat(join(home.path, 'supervisor.sock'));
    expect([socket.isSocket(), socket.mode & 0o777]).toEqual([true, 0o600]);
    await session.close();
  });

  it('listens on loopback as `longhaul emulator` too', async () => {
    const emulator = home.longhaul('emulator');
    await vi.waitFor(() => expect(emulator.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+/), {
      timeout: 30_000,
    });
    const pids = pidsOf(home.path, 'cli');
    const listeners = tcpListeners(pids);
    expect(listeners.length).toBeGreaterThan(0);
    expect(listeners.filter(({ isLoopback }) => !isLoopback)).toEqual([]);
    emulator.interrupt();
    await emulator.ended;
  });
});

function isReport(name: string): boolean {
  return name.startsWith('report.');
}
