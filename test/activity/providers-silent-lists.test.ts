import { describe, expect, it } from 'vitest';
import { Bench, runActivity } from '../support/activity-env.js';
import { createInput, rows } from '../support/activity-inputs.js';
import { batchJob, clientOf, collect, json, page, rawServer } from './providers-raw-server.js';
import type { RawServer } from './providers-raw-server.js';

/* Lists that leave out what tells whose a job is: to take it for absent would buy it twice. */

const KEY = 'k1';
const ours = { metadata: { longhaul_key: KEY } };
const DAY_MS = 24 * 3_600_000;

/** `GET /v1/batch/jobs` answers with `list`, a job by itself with all that is known of it. */
function serverWith(jobs: readonly { readonly id: string }[], list: unknown): Promise<RawServer> {
  return rawServer(({ url }, response) => {
    const job = jobs.find(({ id }) => url.pathname === `/v1/batch/jobs/${id}`);
    json(response, job ?? (url.searchParams.get('page') === '0' ? list : page([])));
  });
}

describe('a job whose entry in the list has no metadata', () => {
  const whole = batchJob({ id: 'silent', metadata: ours.metadata });
  const entry = { ...whole, metadata: undefined };

  it('is asked for by itself, and found', async () => {
    const server = await serverWith([whole], page([entry]));
    expect(await collect(clientOf(server).listJobs(ours, {}))).toMatchObject([{ id: 'silent' }]);
  });

  it('is nobody’s of ours if it has none by itself either', async () => {
    const server = await serverWith([entry], page([entry]));
    expect(await collect(clientOf(server).listJobs(ours, {}))).toEqual([]);
  });

  it('is not asked for while no create is unanswered, nor if it is older than that', async () => {
    const server = await serverWith([whole], page([entry]));
    const madeAt = Number(whole['created_at']) * 1000;
    for (const since of [null, madeAt + 2 * DAY_MS]) {
      const filter = { ...ours, mayLackMetadataSince: () => Promise.resolve(since) };
      expect(await collect(clientOf(server).listJobs(filter, {}))).toEqual([]);
    }
    expect(server.requests.map(({ url }) => url.pathname)).not.toContain('/v1/batch/jobs/silent');
    const filter = { ...ours, mayLackMetadataSince: () => Promise.resolve(madeAt + 1) };
    expect(await collect(clientOf(server).listJobs(filter, {}))).toHaveLength(1);
  });
});

describe('a job that is on record', () => {
  /** Its create was answered; the account has these others, and its own job until that is deleted. */
  async function recorded(others: (at: number) => readonly object[]) {
    const bench = await Bench.start();
    await bench.prepare(rows(1));
    const open = await bench.begin();
    const made: { readonly id: string; readonly metadata: unknown }[] = [];
    const at = Math.floor(bench.clock.now() / 1000);
    let theirs: readonly object[] = [];
    const server = await rawServer(async (request, response) => {
      if (request.method === 'POST') {
        const { metadata } = JSON.parse(await request.body()) as { metadata: Record<string, string> };
        made.push({ ...batchJob({ created_at: at }), id: 'job-1', metadata });
        return json(response, made[0]);
      }
      const { pathname, searchParams } = request.url;
      const all = searchParams.get('page') === '0' ? [...made, ...theirs] : [];
      if (pathname === '/v1/batch/jobs') return json(response, page(all, made.length + theirs.length));
      const job = made.find(({ id }) => pathname.endsWith(`/${id}`));
      return job === undefined ? json(response, { detail: 'none' }, 404) : json(response, job);
    });
    const deps = bench.with({ provider: () => clientOf(server) });
    await runActivity(deps, 'createJob', createInput({ key: open.key }));
    theirs = others(at);
    const input = { shard: 0, round: 1, key: open.key, relist: true };
    return { server, remove: () => made.pop(), look: () => runActivity(deps, 'findJob', input) };
  }

  it('is found without a question about anybody else’s', async () => {
    const silent = (at: number) => [{ ...batchJob({ created_at: at }), id: 'other', metadata: undefined }];
    const { server, look } = await recorded(silent);
    expect((await look()).job).toMatchObject({ jobId: 'job-1' });
    expect(server.requests.map(({ url }) => url.pathname)).not.toContain('/v1/batch/jobs/other');
  });

  it.each([[{ id: 'other', object: 'batch' }], [{}]])(
    'is gone when it is, though of %j nothing can be told',
    async (entry) => {
      const { remove, look } = await recorded(() => [entry]);
      remove();
      expect((await look()).job).toMatchObject({ jobId: 'job-1', status: 'NOT_FOUND' });
    },
  );
});

it('a list that counts jobs and brings none is believed only where none can be ours', async () => {
  const server = await serverWith([], { object: 'list', total: 1 });
  const list = (since: number | null) =>
    collect(clientOf(server).listJobs({ ...ours, mayLackMetadataSince: () => Promise.resolve(since) }, {}));
  expect(await list(null)).toEqual([]);
  await expect(list(0)).rejects.toMatchObject({ type: 'ProviderContract' });
});

it.each(['metadata', 'data'])(
  'an unanswered create is not sent again to lists without %s',
  async (missing) => {
    const bench = await Bench.start();
    await bench.prepare(rows(1));
    const open = await bench.begin();
    const made: { readonly id: string; readonly metadata: unknown }[] = [];
    const server = await rawServer(async (request, response) => {
      if (request.method === 'POST') {
        const { metadata } = JSON.parse(await request.body()) as { metadata: Record<string, string> };
        const id = `job-${made.length + 1}`;
        made.push({ ...batchJob({ created_at: Math.floor(bench.clock.now() / 1000) }), id, metadata });
        // The first one took effect and its answer is lost.
        return json(response, made.at(-1), made.length === 1 ? 502 : 200);
      }
      const job = made.find(({ id }) => request.url.pathname.endsWith(id));
      const data = made.map((one) => ({ ...one, metadata: undefined }));
      const first = request.url.searchParams.get('page') === '0';
      const list = missing === 'data' ? { total: made.length } : page(first ? data : [], made.length);
      return json(response, job ?? list);
    });
    const deps = bench.with({ provider: () => clientOf(server) });
    const create = () =>
      runActivity(deps, 'createJob', createInput({ key: open.key })).catch((error: unknown) => error);
    expect(await create()).toMatchObject({ type: 'ProviderAmbiguous' });
    bench.clock.advance(121_000);
    await create();
    expect(made).toHaveLength(1);
  },
);
