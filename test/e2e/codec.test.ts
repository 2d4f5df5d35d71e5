import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { payloadsIn } from '../support/e2e-payloads.js';
import { E2eTemporal } from '../support/e2e-temporal.js';
import { keptRuns, temporalTraces } from '../support/e2e-traces.js';
import type { Trace } from '../support/e2e-traces.js';
import { temporalCliPath } from '../support/servers.js';
import { CliFolder, failureOf, manifestOf, QUICK } from './cli-support.js';
import type { Ended, Running } from './cli-support.js';

/*
 * Workers and commands with keys, against a cluster. All of a batch's paths lie in `cli.folder`, which so stands in
 * inputs, results, summaries and failures: where it is not to be found, they are encrypted.
 */

const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const YOUNG = `young:${Buffer.alloc(32, 2).toString('base64')}`;

/** The server's word for an activity that was cancelled between two attempts; no worker ever saw it. */
const SERVERS_OWN = '"ACTIVITY_ID_NOT_STARTED"';

let cli: CliFolder;
let server: TestWorkflowEnvironment;
let temporal: E2eTemporal;
let cluster: NodeJS.ProcessEnv;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const executable = { type: 'existing-path', path: await temporalCliPath() } as const;
  server = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  temporal = await E2eTemporal.connect(server.address, 'default');
  cli = await CliFolder.create();
  cluster = { TEMPORAL_ADDRESS: server.address, LONGHAUL_STORE: `file://${cli.folder}/store` };
  expect((await cli.start(['setup'], { env: cluster }).ended).code).toBe(0);
});
afterAll(async () => {
  await temporal.close();
  await cli.remove();
  await server.teardown();
});

function withKeys(keys: string): NodeJS.ProcessEnv {
  return { ...cluster, LONGHAUL_CODEC_KEYS: keys };
}

async function startWorker(env: NodeJS.ProcessEnv): Promise<Running> {
  const worker = cli.start(['worker'], { env });
  await worker.said('stderr', /worker is polling/);
  return worker;
}

async function stopWorkers(...workers: readonly Running[]): Promise<void> {
  for (const { child } of workers) child.kill('SIGTERM');
  for (const { ended } of workers) expect((await ended).code).toBe(0);
}

function startRun(id: string, input: string, env: NodeJS.ProcessEnv): Running {
  return cli.start(['run', input, ...QUICK, '--id', id, '--shard-rows', '4', '--json'], { env });
}

/** Everything that Temporal keeps of a batch and its shards. */
async function tracesOf(id: string): Promise<Trace[]> {
  return (await temporalTraces(temporal)).filter(({ where }) => where.includes(` of ${id}`));
}

function expectSucceeded(ended: Ended): void {
  expect(ended.code, ended.stderr).toBe(0);
  expect(manifestOf(ended).outcome).toBe('succeeded');
}

describe('with keys', () => {
  it('nothing but ciphertext is in inputs, results, signals, summaries, memos and failures', async () => {
    const worker = await startWorker(withKeys(OLD));
    expectSucceeded(await startRun('sealed', await cli.input('rows.jsonl', 10), withKeys(OLD)).ended);
    await cli.write('broken.jsonl', 'no row\n');
    const broken = await startRun('sealed-broken', 'broken.jsonl', withKeys(OLD)).ended;
    expect([broken.code, failureOf(broken).type]).toEqual([2, 'InvalidInput']);
    // Whoever has the keys reads the reason.
    expect(failureOf(broken).message).toContain('line 1 is not valid JSON');
    await cli.fault({ route: 'getJob', fault: { type: 'status', status: 503 }, count: 2 });
    const cancelled = startRun('sealed-cancel', await cli.input('more.jsonl', 10), withKeys(OLD));
    await vi.waitFor(async () => expect(await cli.calls('createJob')).toBeGreaterThan(3), {
      timeout: 60_000,
    });
    const cancel = ['cancel', 'sealed-cancel', '--reason', cli.folder];
    expect((await cli.start(cancel, { env: withKeys(OLD) }).ended).code).toBe(0);
    await cancelled.ended;
    await stopWorkers(worker);

    const traces = await tracesOf('sealed');
    expect(traces.length).toBeGreaterThan(80);
    expect(traces.filter(({ text }) => text.includes(cli.folder))).toEqual([]);
    for (const { events, description } of await keptRuns(temporal)) {
      const payloads = payloadsIn([events, description]);
      expect(payloads.length).toBeGreaterThan(0);
      const plain = payloads.filter(
        ({ encoding, text }) => encoding !== 'binary/encrypted' && text !== SERVERS_OWN,
      );
      expect(plain).toEqual([]);
    }
  });

  it('search attributes and failure types stay readable, for lists and alerts', async () => {
    const all = (await tracesOf('sealed')).map(({ text }) => text).join('\n');
    for (const known of ['mistral-small-latest', 'InvalidInput', 'LonghaulPhase', 'Encoded failure']) {
      expect(all).toContain(known);
    }
  });

  it('a command without them says which key is missing, and what to do', async () => {
    for (const command of ['status', 'wait', 'list']) {
      const args = command === 'list' ? [command] : [command, 'sealed-broken'];
      const { code, stderr } = await cli.start(args, { env: cluster }).ended;
      expect([command, code]).toEqual([command, 4]);
      expect(stderr).toContain('encrypted with the key "old", and this process has no keys');
      expect(stderr).toContain('LONGHAUL_CODEC_KEYS');
      expect(stderr).not.toContain('bug');
    }
    const other = `old:${Buffer.alloc(32, 3).toString('base64')}`;
    const wrong = await cli.start(['status', 'sealed-broken', '--json'], { env: withKeys(other) }).ended;
    expect([wrong.code, failureOf(wrong).type]).toEqual([4, 'CodecKeyWrong']);
  });

  it('a schedule keeps its input encrypted, and is described to who has them', async () => {
    const every = ['--every', '24h', await cli.input('daily.jsonl', 2), ...QUICK];
    const created = await cli.start(['schedule', 'create', 'daily', ...every], { env: withKeys(OLD) }).ended;
    expect(created.code, created.stderr).toBe(0);
    const kept = await temporal.client.workflowService.describeSchedule({
      namespace: 'default',
      scheduleId: 'daily',
    });
    const encodings = new Set(payloadsIn(kept).map(({ encoding }) => encoding));
    expect(encodings).toEqual(new Set(['binary/encrypted']));
    const described = await cli.start(['schedule', 'describe', 'daily', '--json'], { env: withKeys(OLD) })
      .ended;
    expect(described.stdout).toContain('daily.jsonl');
  });
});

describe('while keys change', () => {
  it.each([
    ['on', () => cluster, () => withKeys(OLD)],
    ['off', () => withKeys(OLD), () => withKeys(`plain,${OLD}`)],
  ])('a batch goes on when encryption is turned %s under it', async (turn, before, after) => {
    const id = `turned-${turn}`;
    await cli.fault({ route: 'createJob', fault: { type: 'hold' }, nth: 1 });
    const created = await cli.calls('createJob');
    const first = await startWorker(before());
    const input = await cli.input(`${id}.jsonl`, 10);
    const run = startRun(id, input, before());
    await vi.waitFor(async () => expect(await cli.calls('createJob')).toBeGreaterThan(created), {
      timeout: 60_000,
    });
    first.child.kill('SIGKILL');
    await Promise.all([first.ended, fetch(`${cli.emulator.url}/_emulator/release`, { method: 'POST' })]);
    const second = await startWorker(after());
    // The first command may not have the keys that the new worker uses: whoever has them sees the end.
    expectSucceeded(await startRun(id, input, withKeys(OLD)).ended);
    await run.ended;
    await stopWorkers(second);
    const { events } = await temporal.client.workflow.getHandle(id).fetchHistory();
    const encodings = payloadsIn(events).map(({ encoding }) => encoding);
    expect(encodings).toEqual(expect.arrayContaining(['binary/encrypted', 'json/plain']));
    expect(encodings[0]).toBe(turn === 'on' ? 'json/plain' : 'binary/encrypted');
    expect(encodings.at(-1)).toBe(turn === 'on' ? 'binary/encrypted' : 'json/plain');
  });

  it('workers with the same keys in another order share a batch', async () => {
    const workers = [
      await startWorker(withKeys(`${OLD},${YOUNG}`)),
      await startWorker(withKeys(`${YOUNG},${OLD}`)),
    ];
    const run = startRun('mixed', await cli.input('mixed.jsonl', 40), withKeys(`${YOUNG},${OLD}`));
    expectSucceeded(await run.ended);
    await stopWorkers(...workers);
    const runs = (await keptRuns(temporal)).filter(({ workflowId }) => workflowId.startsWith('mixed'));
    const used = payloadsIn(runs.map(({ events }) => events)).map(({ keyId }) => keyId);
    expect(new Set(used)).toEqual(new Set(['old', 'young']));
  });

  it('a worker that lacks the new key harms nothing: the batch waits, and goes on once one has it', async () => {
    const behind = await startWorker(withKeys(OLD));
    const run = startRun('behind', await cli.input('behind.jsonl', 4), withKeys(`${YOUNG},${OLD}`));
    await behind.said('stderr', /encrypted with the key \\"young\\", and this process has old/);
    await stopWorkers(behind);
    const ahead = await startWorker(withKeys(`${YOUNG},${OLD}`));
    expectSucceeded(await run.ended);
    await stopWorkers(ahead);
  });
});

it('a key file that can’t be read, and keys that are none, are the user’s mistake', async () => {
  const missing = await cli.start(['list'], { env: { ...cluster, LONGHAUL_CODEC_KEYS_FILE: 'nowhere' } })
    .ended;
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('nowhere')]);
  await cli.write('empty.keys', '');
  const empty = await cli.start(['list'], { env: { ...cluster, LONGHAUL_CODEC_KEYS_FILE: 'empty.keys' } })
    .ended;
  expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('is empty')]);
  const secret = Buffer.alloc(31, 9).toString('base64');
  const short = await cli.start(['worker'], { env: withKeys(`a:${secret}`) }).ended;
  expect([short.code, short.stderr]).toEqual([2, expect.stringContaining('32 bytes')]);
  expect(short.stderr).not.toContain(secret);
});
