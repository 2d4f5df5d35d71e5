import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { questions } from '../support/e2e-rows.js';
import { Site } from '../support/site.js';

const ROWS = questions(200);
const SHARDS = ['--shard-rows', '40', '--max-jobs', '3'];
/** Some rows fail in round 1, so that each shard has a second round. */
const PROVIDER = { jobSeconds: 3, rowErrorRate: 0.1, seed: 7 };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster.remove());

async function withSite<T>(namespace: string, work: (site: Site) => Promise<T>): Promise<T> {
  const site = await Site.create({ temporal: cluster, namespace, emulator: PROVIDER });
  try {
    return await work(site);
  } finally {
    await site.remove();
  }
}

/** One accepted job per shard and round, and the manifest tells of just these. */
async function expectOneJobPerRound(site: Site, batchId: string): Promise<void> {
  const manifest = await site.manifest(batchId);
  const jobs = await site.emulator.jobs(batchId);
  expect(await site.emulator.effects('createJob')).toBe(jobs.length);
  expect(new Set(jobs.map(({ metadata }) => metadata?.['longhaul_key'])).size).toBe(jobs.length);
  expect(manifest.jobs.map(({ jobId }) => jobId).sort()).toEqual(jobs.map(({ id }) => id).sort());
  expect(new Set(manifest.jobs.map(({ shard, round }) => `${shard}/${round}`)).size).toBe(jobs.length);
  expect(manifest.jobs.filter(({ duplicate }) => duplicate === true)).toEqual([]);
  expect(jobs.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
}

test('server, worker and PostgreSQL die in mid-batch, and each job is paid for once', async () => {
  const undisturbed = await withSite('undisturbed', async (site) => {
    await site.startWorker();
    const input = await site.writeRows('rows.jsonl', ROWS);
    await site.run(input, 'batch', ...SHARDS).exits(0);
    return site.results('batch');
  });

  await withSite('disturbed', async (site) => {
    const input = await site.writeRows('rows.jsonl', ROWS);
    const { emulator } = site;
    // The third create has made its job, and its answer is under way to the first worker, which dies.
    await emulator.setFaults({ route: 'createJob', nth: 3, fault: { type: 'hold', when: 'after' } });
    const first = await site.startWorker();
    const command = site.run(input, 'batch', ...SHARDS);
    await emulator.waitFor('createJob', { count: 3, until: 'effect' });
    const second = await site.startWorker();
    await Promise.all([cluster.killServer(), first.kill()]);
    await emulator.release();
    await cluster.startServer();
    const third = await site.startWorker();

    // Somewhere in the second round.
    await emulator.waitFor('createJob', { count: 7, until: 'effect' });
    await cluster.postgres.crash();
    await cluster.postgres.startServer();
    await command.exits(0);

    expect((await site.results('batch')).equals(undisturbed)).toBe(true);
    await expectOneJobPerRound(site, 'batch');
    const manifest = await site.manifest('batch');
    expect(manifest).toMatchObject({
      outcome: 'succeeded',
      rows: { total: ROWS.length, succeeded: ROWS.length },
      results: { rows: ROWS.length, sha256: createHash('sha256').update(undisturbed).digest('hex') },
    });
    expect(Math.max(...manifest.jobs.map(({ round }) => round))).toBeGreaterThan(1);
    await site.expectNoTempFiles();
    for (const worker of [second, third]) expect(await worker.signal('SIGTERM')).toBe('exit code 0');
  });
});
