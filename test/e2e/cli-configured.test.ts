import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TASK_QUEUES } from '../../batch/wire-names.js';
import { temporalCliPath } from '../support/servers.js';
import { createNamespace, knowsNamespace } from '../support/temporal-calls.js';
import { CliFolder, failureOf, manifestOf, QUICK, resultLines } from './cli-support.js';

/*
 * With a Temporal address the command line starts nothing of its own. The tests build on each other: a new cluster is set
 * up, waits for a worker, gets one.
 */

/** The SDK's own patience; then it is looked for once more why no answer came. docs/guarantees.md says so. */
const WORKER_CONNECT_MS = 30_000;
/** That look, the start of a process, and a machine with other work on it. */
const SLACK_MS = 20_000;

let cli: CliFolder;
let temporal: TestWorkflowEnvironment;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const executable = { type: 'existing-path', path: await temporalCliPath() } as const;
  temporal = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  cli = await CliFolder.create();
  env = { TEMPORAL_ADDRESS: temporal.address, LONGHAUL_STORE: `file://${cli.folder}/store` };
});
afterAll(async () => {
  await cli.remove();
  await temporal.teardown();
});

it('names `longhaul setup` until it was called, which says what it did', async () => {
  const input = await cli.input('rows.jsonl', 5);
  const refused = await cli.start(['run', input, ...QUICK, '--json'], { env }).ended;
  expect(refused.code, refused.stderr).toBe(4);
  expect(failureOf(refused)).toMatchObject({ type: 'NotSetUp' });
  const doctor = await cli.start(['doctor'], { env }).ended;
  expect([doctor.code, doctor.stdout]).toEqual([4, expect.stringContaining('Run `longhaul setup` once.')]);

  const worker = await cli.start(['worker'], { env }).ended;
  expect([worker.code, worker.stderr]).toEqual([4, expect.stringContaining('Run `longhaul setup` once.')]);

  const setup = await cli.start(['setup', '--json'], { env }).ended;
  const registered = (JSON.parse(setup.stdout) as { registered: string[] }).registered;
  expect(registered).toContain('LonghaulPhase');
  expect(registered).toHaveLength(7);
  const again = await cli.start(['setup'], { env }).ended;
  expect([again.code, again.stdout]).toEqual([
    0,
    expect.stringContaining('has all search attributes already'),
  ]);
});

it('stages the input, says that no worker polls, and ends once one does', async () => {
  const run = cli.start(['run', 'rows.jsonl', ...QUICK, '--output', 'rows.out'], { env });
  const said = await run.said('stderr', /No worker polls/);
  const started = /Started (\S+)\./.exec(said)?.[1] ?? '';
  const waiting = await cli.start(['status', started], { env }).ended;
  expect([waiting.code, waiting.stderr]).toEqual([0, expect.stringContaining('No worker polls')]);
  const worker = cli.start(['worker'], { env });
  const ended = await run.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(resultLines(await cli.read('rows.out'))).toHaveLength(5);

  const [batchId = ''] = (await readdir(`${cli.folder}/store`)).filter((name) => name.startsWith('rows-'));
  const status = manifestOf(await cli.start(['status', batchId, '--json'], { env }).ended);
  expect(status.input?.uri).toBe(
    `file://${cli.folder}/store/${batchId}/input/source-${status.input?.sha256?.slice(0, 12)}.jsonl`,
  );
  expect((await cli.start(['doctor'], { env }).ended).code).toBe(0);
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  await expect(readdir(cli.home)).resolves.not.toContain('supervisor.log');
});

/** The versions of whoever polls a task queue, as Temporal knows them. */
async function versionsOf(
  namespace: string,
  name: string,
  taskQueueType: 1 | 2,
): Promise<readonly unknown[]> {
  const { pollers } = await temporal.connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name },
    taskQueueType,
  });
  return pollers.map(({ deploymentOptions }) => ({
    deployment: deploymentOptions?.deploymentName,
    buildId: deploymentOptions?.buildId,
    // temporal.api.enums.v1.WorkerVersioningMode: VERSIONED
    versioned: deploymentOptions?.workerVersioningMode === 2,
  }));
}

it('gives a worker the version that its environment names, and says that it waits to be made current', async () => {
  // Of its own: a worker that left is listed for a minute or so.
  const namespace = 'versions';
  await createNamespace(temporal.address, namespace);
  await expect.poll(() => knowsNamespace(temporal.address, namespace), { timeout: 30_000 }).toBe(true);
  const there = { ...env, TEMPORAL_NAMESPACE: namespace };
  expect((await cli.start(['setup'], { env: there }).ended).code).toBe(0);

  const version = { deploymentName: 'by-environment', buildId: '0.2.0-rc.1' };
  const named = { LONGHAUL_DEPLOYMENT: version.deploymentName, LONGHAUL_BUILD_ID: version.buildId };
  const worker = cli.start(['worker'], { env: { ...there, ...named } });
  const known = { deployment: version.deploymentName, buildId: version.buildId, versioned: true };
  const { workflows, provider, transfer } = TASK_QUEUES;
  for (const [queue, type] of [
    [workflows, 1],
    [provider, 2],
    [transfer, 2],
  ] as const) {
    await expect.poll(() => versionsOf(namespace, queue, type), { message: queue }).toContainEqual(known);
  }

  const waiting = await cli.start(['doctor'], { env: there }).ended;
  expect(waiting.code, waiting.stdout).toBe(4);
  expect(waiting.stdout).toContain('--deployment-name by-environment --build-id 0.2.0-rc.1');
  const { workflowService } = temporal.connection;
  await expect
    .poll(() => workflowService.setWorkerDeploymentCurrentVersion({ namespace, ...version }), {
      timeout: 30_000,
    })
    .toBeDefined();
  const well = await cli.start(['doctor'], { env: there }).ended;
  expect(well.code, well.stdout).toBe(0);

  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
});

it('dev does not run beside a configured cluster', async () => {
  const { code, stderr } = await cli.start(['dev'], { env }).ended;
  expect([code, stderr]).toEqual([2, expect.stringContaining('Unset it')]);
});

it('says that a worker has no namespace to work in', async () => {
  const elsewhere = { ...env, TEMPORAL_NAMESPACE: 'elsewhere' };
  const { code, stderr } = await cli.start(['worker'], { env: elsewhere }).ended;
  expect([code, stderr]).toEqual([4, expect.stringContaining('Temporal has no namespace elsewhere')]);
});

it('says within seconds where it looked for a cluster that is away', async () => {
  const away = { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const { code, stderr } = await cli.start(['list'], { env: away }).ended;
  expect(code).toBe(4);
  expect(stderr).toContain('127.0.0.1:1');
  expect(stderr).toContain('TEMPORAL_ADDRESS');
});

/** A worker that can't reach Temporal: how long it took to say so, and what it said. */
async function vainWorker(address: string): Promise<{ readonly took: number; readonly stderr: string }> {
  const begun = performance.now();
  const { code, stderr } = await cli.start(['worker'], { env: { ...env, TEMPORAL_ADDRESS: address } }).ended;
  expect(code, stderr).toBe(4);
  expect(stderr).toContain(`can't reach Temporal at ${address}`);
  return { took: performance.now() - begun, stderr };
}

it('a worker gives up at once where its connection is refused', async () => {
  const { took, stderr } = await vainWorker('127.0.0.1:1');
  expect(stderr).toContain('nothing listens there');
  expect(took).toBeLessThan(SLACK_MS);
});

it('a worker gives up in time where its connection is accepted and nothing is said', async () => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await once(mute.listen(0, '127.0.0.1'), 'listening');
  const address = mute.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    const { took, stderr } = await vainWorker(`127.0.0.1:${address.port}`);
    expect(stderr).toContain('did not answer in time');
    expect(took).toBeLessThan(WORKER_CONNECT_MS + SLACK_MS);
    expect(sockets).not.toEqual([]);
  } finally {
    for (const socket of sockets) socket.destroy();
    mute.close();
  }
});
