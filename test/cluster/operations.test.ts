import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { manifestSchema } from '../../schemas/manifest.js';
import { Cluster } from '../support/cluster.js';
import { questions } from '../support/e2e-rows.js';
import { Site, WORK } from '../support/site.js';

/** Of what happens by itself. */
const SOON = { timeout: 60_000, interval: 250 };
const ROWS = questions(60);

let cluster: Cluster;
let site: Site;
let input: string;
let sites = 0;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster.remove());
beforeEach(async () => {
  sites += 1;
  site = await Site.create({
    temporal: cluster,
    namespace: `operations-${sites}`,
    emulator: { jobSeconds: 3 },
  });
  input = await site.writeRows('rows.jsonl', ROWS);
  return () => site.remove();
});

test('a schedule outlives the command and the server, and fires', async () => {
  await site.startWorker();
  const schedule = ['schedule', 'create', 'often', '--every', '5s', input, ...WORK, '--overlap', 'skip'];
  await site.longhaul(...schedule).exits(0);
  await cluster.killServer();
  await cluster.startServer();
  await vi.waitFor(async () => expect(await site.finished()).not.toEqual([]), SOON);
  await site.longhaul('schedule', 'delete', 'often').exits(0);

  const [batchId = ''] = await site.finished();
  expect(batchId).toMatch(/^often-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(await site.manifest(batchId)).toMatchObject({ outcome: 'succeeded', rows: { total: ROWS.length } });
  expect(await site.emulator.jobs(batchId)).toHaveLength(1);
  await site.longhaul('wait', batchId, '--json').exits(0);
});

test('status, list and cancel find a batch, its worker being dead or alive', async () => {
  await site.emulator.setFaults({ route: 'createJob', fault: { type: 'stuckQueued' } });
  const worker = await site.startWorker();
  await site.run(input, 'stuck', '--detach').exits(0);
  await vi.waitFor(async () => {
    const listed = await site.longhaul('list', '--phase', 'running').exits(0);
    expect(listed.stdout).toContain('stuck');
  }, SOON);
  await worker.kill();
  const status = await site.longhaul('status', 'stuck', '--json').exits(0);
  expect(manifestSchema.parse(JSON.parse(status.stdout))).toMatchObject({
    outcome: null,
    phase: 'running',
    input: { rows: ROWS.length },
  });
  const cancel = site.longhaul('cancel', 'stuck');
  await site.startWorker();
  await cancel.exits(0);
  await site.longhaul('wait', 'stuck').exits(5);
  expect(await site.manifest('stuck')).toMatchObject({
    outcome: 'cancelled',
    jobs: [{ status: 'CANCELLED' }],
  });
  expect(await site.emulator.effects('cancelJob')).toBe(1);
  const listed = await site.longhaul('list', '--outcome', 'cancelled').exits(0);
  expect(listed.stdout).toContain('stuck');
});

test('workers are replaced one after the other without anything being sent again', async () => {
  const { emulator } = site;
  // Each shutdown comes while something is under way that the old worker has to finish.
  await emulator.setFaults(
    { route: 'uploadFile', nth: 1, fault: { type: 'hold', when: 'before', ifAborted: 'drop' } },
    { route: 'fileContent', nth: 1, fault: { type: 'hold', when: 'before' } },
  );
  const old = await site.startWorker();
  const command = site.run(input, 'rolled', '--shard-rows', '30');
  await emulator.waitFor('uploadFile');
  const gone = old.signal('SIGTERM');
  const second = await site.startWorker();
  await vi.waitFor(() => expect(old.output).toContain('"state":"DRAINING"'), SOON);
  await emulator.release();
  expect(await gone).toBe('exit code 0');

  await emulator.waitFor('fileContent');
  const goneToo = second.signal('SIGTERM');
  await site.startWorker();
  await vi.waitFor(() => expect(second.output).toContain('"state":"DRAINING"'), SOON);
  await emulator.release();
  expect(await goneToo).toBe('exit code 0');
  await command.exits(0);

  for (const [route, times] of [
    ['uploadFile', 2],
    ['createJob', 2],
    ['fileContent', 2],
  ] as const) {
    expect(await emulator.journal(route), route).toHaveLength(times);
  }
  expect((await emulator.journal()).filter(({ aborted }) => aborted === true)).toEqual([]);
  expect(await site.manifest('rolled')).toMatchObject({ outcome: 'succeeded', rows: { total: ROWS.length } });
});
