import { describe, expect, it } from 'vitest';
import { layout, roundFile } from '../../batch/layout.js';
import type { RemoteJob } from '../../providers/provider.js';
import { Bench, failureOf, runActivity } from '../support/activity-env.js';
import { BATCH, createInput, ENDPOINT, MODEL, rows } from '../support/activity-inputs.js';
import { remoteJob } from '../support/create-world.js';
import { scriptedProvider } from '../support/scripted-provider.js';

const FOLDER = layout.round(BATCH, 0, 1);

async function begun() {
  const bench = await Bench.start({ emulator: { jobSeconds: 60 } });
  await bench.prepare(rows(2));
  const open = await bench.begin();
  const { key } = open;
  return {
    bench,
    open,
    find: (relist = false) => bench.run('findJob', { shard: 0, round: 1, key, relist }),
    /** A job that somebody else made with the same key. */
    rival: (fileId: string, run = 'rival') =>
      bench.provider.createJob(
        {
          fileId,
          endpoint: ENDPOINT,
          model: MODEL,
          timeoutHours: 24,
          metadata: { longhaul_key: key, longhaul_run: run },
        },
        {},
      ),
    record: () => bench.json(roundFile.job(FOLDER)),
  };
}

describe('a round without a record of its job', () => {
  it('has none when none is listed and none was sent', async () => {
    const { find } = await begun();
    expect(await find()).toEqual({ job: null, duplicates: [] });
  });

  it('adopts a listed one, whatever its run and its status', async () => {
    const { bench, open, find, rival, record } = await begun();
    const job = await rival(await bench.upload(open));
    await bench.provider.cancelJob(job.id, {});
    bench.clock.advance(10_000);
    expect(await find()).toMatchObject({ job: { jobId: job.id, phase: 'cancelled' }, duplicates: [] });
    expect(await record()).toMatchObject({ jobId: job.id, inputFiles: job.inputFiles });
  });

  it('keeps the one that took the place of one that was cancelled', async () => {
    const { bench, open, find, rival, record } = await begun();
    const fileId = await bench.upload(open);
    const first = await rival(fileId);
    await bench.provider.cancelJob(first.id, {});
    bench.clock.advance(5_000);
    const second = await rival(fileId);
    expect(await find()).toMatchObject({
      job: { jobId: second.id },
      duplicates: [{ jobId: first.id, phase: 'cancelled' }],
    });
    expect(await record()).toMatchObject({ jobId: second.id });
  });

  it('keeps the smallest of several, by time and then by id, and reports the others', async () => {
    const { bench, open, find, rival } = await begun();
    const fileId = await bench.upload(open);
    const early = [await rival(fileId), await rival(fileId)].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    bench.clock.advance(5_000);
    const late = await rival(fileId);
    const found = await find();
    expect(found.job?.jobId).toBe(early[0]?.id);
    expect(new Set(found.duplicates.map(({ jobId }) => jobId))).toEqual(new Set([early[1]?.id, late.id]));
  });

  it('takes no notice of jobs with another key, even if the provider ignores the filter', async () => {
    const { bench, open } = await begun();
    const other = remoteJob('other', 1, { fileId: 'f', metadata: { longhaul_key: 'b'.repeat(64) } });
    const bare = remoteJob('bare', 1, { fileId: 'f', metadata: {} });
    const provider = scriptedProvider({
      listJobs: async function* () {
        yield* [other, bare];
      },
    });
    const input = { shard: 0, round: 1, key: open.key, relist: false };
    const deps = bench.with({ provider: () => provider });
    expect(await runActivity(deps, 'findJob', input)).toEqual({ job: null, duplicates: [] });
  });

  it('fails rather than call a job absent when the list can not be read', async () => {
    const { bench, find } = await begun();
    await bench.setFaults({ route: 'listJobs', fault: { type: 'poisonedItem', mode: 'insert' } });
    expect(await failureOf(find())).toMatchObject({ type: 'ProviderContract' });
  });
});

describe('a job in the list that says nothing of its metadata', () => {
  it('may be the one that is looked for only while a create of the round is unanswered', async () => {
    const { bench, open } = await begun();
    const fileId = await bench.upload(open);
    const create = () => failureOf(bench.run('createJob', createInput({ key: open.key, fileId })));
    const mayLack: unknown[] = [];
    const provider = scriptedProvider({
      listJobs: async function* (filter) {
        mayLack.push((await filter.mayLackMetadataSince?.()) !== null);
        yield* [];
      },
    });
    const input = { shard: 0, round: 1, key: open.key, relist: false };
    const look = () => runActivity(bench.with({ provider: () => provider }), 'findJob', input);
    await look();
    await bench.setFaults(
      { route: 'createJob', nth: 1, fault: { type: 'status', status: 422 } },
      { route: 'createJob', nth: 2, fault: { type: 'reset', when: 'before' } },
    );
    await create();
    await look();
    expect(mayLack).toEqual([false, false]);
    await create();
    expect(await failureOf(look())).toMatchObject({ type: 'ProviderAmbiguous' });
    bench.clock.advance(200_000);
    await look();
    expect(mayLack).toEqual([false, false, true, true]);
  });
});

describe('a round with a record of its job', () => {
  it('asks for that job and lists nothing', async () => {
    const { bench, find } = await begun();
    const { job } = await bench.submit();
    const lists = await bench.requests('listJobs');
    expect(await find()).toMatchObject({ job: { jobId: job.jobId }, duplicates: [] });
    expect(await bench.requests('listJobs')).toEqual(lists);
  });

  it('lists again on request and reports what has come since', async () => {
    const { bench, open, find, rival } = await begun();
    const { job } = await bench.submit();
    const second = await rival(await bench.upload(open));
    expect(await find(true)).toMatchObject({ job: { jobId: job.jobId }, duplicates: [{ jobId: second.id }] });
  });

  it('keeps the recorded one even if a smaller one turns up', async () => {
    const { bench, open, find } = await begun();
    const { job } = await bench.submit();
    const earlier: RemoteJob = remoteJob('00000000', 1, {
      fileId: 'f',
      metadata: { longhaul_key: open.key },
    });
    const provider = {
      ...bench.provider,
      listJobs: async function* () {
        yield earlier;
      },
    };
    const input = { shard: 0, round: 1, key: open.key, relist: true };
    expect(await runActivity(bench.with({ provider: () => provider }), 'findJob', input)).toMatchObject({
      job: { jobId: job.jobId },
      duplicates: [{ jobId: '00000000' }],
    });
    expect(await find()).toMatchObject({ job: { jobId: job.jobId } });
  });

  it('takes another one in its place when it is lost, once and for all', async () => {
    const { bench, open, find, rival, record } = await begun();
    const { job } = await bench.submit();
    const second = await rival(await bench.upload(open));
    await bench.provider.cancelJob(job.jobId, {});
    bench.clock.advance(10_000);
    const input = { shard: 0, round: 1, key: open.key, relist: true, lost: job.jobId };
    const taken = await bench.run('findJob', input);
    expect(taken).toMatchObject({ job: { jobId: second.id }, duplicates: [{ jobId: job.jobId }] });
    expect(await record()).toMatchObject({ jobId: second.id, key: open.key, inputFiles: second.inputFiles });
    expect(await bench.run('findJob', input, { attempt: 2 })).toEqual(taken);
    expect(await find()).toMatchObject({ job: { jobId: second.id } });
  });

  it('stays with a lost one when there is no other', async () => {
    const { bench, open, record } = await begun();
    const { job } = await bench.submit();
    await bench.provider.deleteJob(job.jobId, {});
    const input = { shard: 0, round: 1, key: open.key, relist: true, lost: job.jobId };
    expect(await bench.run('findJob', input)).toMatchObject({ job: { jobId: job.jobId }, duplicates: [] });
    expect(await record()).toMatchObject({ jobId: job.jobId });
  });

  it('leaves a job that was deleted for the polls to judge', async () => {
    const { bench, find } = await begun();
    const { job } = await bench.submit();
    await bench.provider.deleteJob(job.jobId, {});
    for (const relist of [false, true]) {
      expect(await find(relist)).toMatchObject({
        job: { jobId: job.jobId, phase: 'unknown' },
        duplicates: [],
      });
    }
  });

  it('refuses one of another key: the batch was changed by hand', async () => {
    const { bench } = await begun();
    await bench.submit();
    const key = 'f'.repeat(64);
    // One after the other: a promise that fails while nobody awaits it ends the whole suite.
    for (const attempt of [
      () => bench.run('findJob', { shard: 0, round: 1, key, relist: false }),
      () => bench.run('createJob', createInput({ key })),
    ]) {
      expect(await failureOf(attempt())).toMatchObject({ type: 'StorageMismatch', nonRetryable: true });
    }
    expect(await bench.jobs()).toHaveLength(1);
  });
});

describe('the last look of a run', () => {
  it('keeps what is left of its creates from sending, and lets the next run send at once', async () => {
    const { bench, open } = await begun();
    const fileId = await bench.upload(open);
    const last = { shard: 0, round: 1, key: open.key, relist: false, closes: 'run-1' };
    expect(await bench.run('findJob', last)).toEqual({ job: null, duplicates: [] });
    expect(await bench.run('findJob', last, { attempt: 2 })).toEqual({ job: null, duplicates: [] });
    const create = (run: string) => bench.run('createJob', createInput({ key: open.key, fileId, run }));
    expect(await failureOf(create('run-1'))).toMatchObject({ type: 'ProviderUnavailable' });
    expect(await bench.requests('createJob')).toHaveLength(0);
    await create('run-2');
    expect(await bench.jobs()).toHaveLength(1);
    expect(await bench.files()).toEqual(
      expect.arrayContaining(['rounds/00000-1/intent-1.json', 'rounds/00000-1/intent-2.json']),
    );
  });

  it('waits for a create that may have happened, and finds its job', async () => {
    const { bench, open } = await begun();
    const fileId = await bench.upload(open);
    await bench.setFaults(
      { route: 'createJob', fault: { type: 'reset', when: 'after' } },
      { route: 'createJob', fault: { type: 'listLag', ms: 60_000 } },
    );
    await failureOf(bench.run('createJob', createInput({ key: open.key, fileId })));
    const last = { shard: 0, round: 1, key: open.key, relist: false, closes: 'run-1' };
    expect(await failureOf(bench.run('findJob', last))).toMatchObject({ type: 'ProviderAmbiguous' });
    bench.clock.advance(120_000);
    const [made] = await bench.jobs();
    expect(await bench.run('findJob', last)).toMatchObject({ job: { jobId: made?.['id'] } });
  });
});

describe('rivals in one store', () => {
  it('agree on one job when each has made its own', async () => {
    const { bench, open, rival, record } = await begun();
    const fileId = await bench.upload(open);
    await rival(fileId);
    await rival(fileId);
    const input = createInput({ key: open.key, fileId });
    const [one, two] = await Promise.all([bench.run('createJob', input), bench.run('createJob', input)]);
    expect(one.job.jobId).toBe(two.job.jobId);
    expect(await record()).toMatchObject({ jobId: one.job.jobId });
    expect(one.duplicates).toHaveLength(1);
    expect(await bench.requests('createJob')).toHaveLength(2);
  });

  it('adopt a job that the other one sent and nobody answered for', async () => {
    const { bench, open } = await begun();
    const fileId = await bench.upload(open);
    // Another attempt's POST is committed while this one's is under way.
    const provider = {
      ...bench.provider,
      createJob: async (...args: Parameters<typeof bench.provider.createJob>) => {
        await bench.provider.createJob(...args);
        bench.clock.advance(2_000);
        return bench.provider.createJob(...args);
      },
    };
    const input = createInput({ key: open.key, fileId });
    const created = await runActivity(bench.with({ provider: () => provider }), 'createJob', input);
    expect(created.duplicates).toHaveLength(1);
    expect(created.job.createdAt).toBeLessThan(created.duplicates[0]?.createdAt ?? 0);
  });
});
