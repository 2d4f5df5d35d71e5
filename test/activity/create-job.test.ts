import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { layout, roundFile } from '../../batch/layout.js';
import { afterCreateFailure } from '../../batch/wait-policy.js';
import type { BatchProvider } from '../../providers/provider.js';
import { createProvider } from '../../providers/registry.js';
import { attemptOf, Bench, failureOf, runActivity } from '../support/activity-env.js';
import { API_KEY, BATCH, createInput, rows } from '../support/activity-inputs.js';
import { hookedStore } from '../support/store-hooks.js';

const FOLDER = layout.round(BATCH, 0, 1);

/** A round whose file is at the provider, so that its job is what comes next. */
async function uploaded(more = {}) {
  const bench = await Bench.start({ emulator: { jobSeconds: 60 } });
  await bench.prepare(rows(2));
  const open = await bench.begin();
  const fileId = await bench.upload(open);
  const input = createInput({ key: open.key, fileId, ...more });
  return {
    bench,
    input,
    create: (info = {}) => bench.run('createJob', input, { workflowId: `${BATCH}/shard-00000`, ...info }),
    find: (relist = false) => bench.run('findJob', { shard: 0, round: 1, key: open.key, relist }),
    record: () => bench.json(roundFile.job(FOLDER)),
  };
}

/** The bench's provider with some calls replaced. */
function altered(bench: Bench, calls: Partial<BatchProvider>) {
  return bench.with({ provider: () => ({ ...bench.provider, ...calls }) });
}

describe('creating a job', () => {
  it('sends one POST, with the key in the metadata, and records what came of it', async () => {
    const { bench, create, record, find, input } = await uploaded({
      metadata: { team: 'red' },
      run: 'run-7',
    });
    const { job, duplicates } = await create();
    expect(duplicates).toEqual([]);
    expect(await bench.files()).toEqual(
      expect.arrayContaining(['rounds/00000-1/intent-1.json', 'rounds/00000-1/job.json']),
    );
    expect(await record()).toMatchObject({ key: input.key, jobId: job.jobId, inputFiles: [input.fileId] });
    const [remote] = await bench.jobs();
    expect(remote).toMatchObject({
      metadata: { team: 'red', longhaul_key: input.key, longhaul_batch: BATCH, longhaul_run: 'run-7' },
    });
    expect(await find()).toMatchObject({ job: { jobId: job.jobId }, duplicates: [] });
    expect(await create({ attempt: 2 })).toMatchObject({ job: { jobId: job.jobId } });
    expect(await bench.requests('createJob')).toHaveLength(1);
  });

  it('finds the job of a lost answer and never sends twice', async () => {
    const { bench, create, find } = await uploaded();
    await bench.setFaults({ route: 'createJob', nth: 1, fault: { type: 'reset', when: 'after' } });
    const failure = await failureOf(create());
    expect(failure).toMatchObject({
      type: 'ProviderAmbiguous',
      nonRetryable: false,
      nextRetryDelay: 15_000,
    });
    const adopted = await create({ attempt: 2 });
    expect(await find()).toMatchObject({ job: { jobId: adopted.job.jobId } });
    expect(await bench.jobs()).toHaveLength(1);
    expect(await bench.requests('createJob')).toHaveLength(1);
  });

  it('waits for a lost job that the list does not show yet', async () => {
    const { bench, create, find } = await uploaded();
    await bench.setFaults(
      { route: 'createJob', fault: { type: 'status', status: 502, when: 'after' } },
      { route: 'createJob', fault: { type: 'listLag', ms: 60_000 } },
    );
    expect(await failureOf(create())).toMatchObject({ type: 'ProviderAmbiguous' });
    bench.clock.advance(30_000);
    expect(await failureOf(create())).toMatchObject({ type: 'ProviderAmbiguous', nextRetryDelay: 15_000 });
    expect(await failureOf(find())).toMatchObject({ type: 'ProviderAmbiguous', nextRetryDelay: 15_000 });
    bench.clock.advance(90_000);
    const { job } = await create();
    expect(await bench.jobs()).toMatchObject([{ id: job.jobId }]);
    expect(await bench.requests('createJob')).toHaveLength(1);
  });

  it('sends again, as the next intent, when the settle time has passed and nothing is there', async () => {
    const { bench, create } = await uploaded();
    await bench.setFaults({ route: 'createJob', nth: 1, fault: { type: 'reset', when: 'before' } });
    expect(await failureOf(create())).toMatchObject({ type: 'ProviderAmbiguous' });
    bench.clock.advance(120_000);
    await create();
    expect(await bench.files()).toContain('rounds/00000-1/intent-2.json');
    expect(await bench.jobs()).toHaveLength(1);
  });

  it.each([
    [400, 'ProviderRejected'],
    [422, 'ProviderRejected'],
    [404, 'ProviderNotFound'],
    [401, 'ProviderAuth'],
    [403, 'ProviderForbidden'],
    [402, 'ProviderQuota'],
  ])('is final when refused with %i, and may be asked again at once', async (status, type) => {
    const { bench, create } = await uploaded();
    await bench.setFaults({ route: 'createJob', nth: 1, fault: { type: 'status', status } });
    const failure = await failureOf(create());
    expect(failure).toMatchObject({ type, nonRetryable: true, details: [{ status, batchHasJob: false }] });
    const refused = roundFile.refused(FOLDER, 1);
    expect(await bench.json(refused)).toMatchObject({ n: 1, type, status });
    expect((await stat(join(bench.dir, 'store', refused))).mode & 0o777).toBe(0o600);
    await create();
    expect(await bench.jobs()).toHaveLength(1);
  });

  it("keeps a gateway's page out of the failure, and in the record of the refusal", async () => {
    const { bench, create } = await uploaded();
    await bench.setFaults({ route: 'createJob', nth: 1, fault: { type: 'status', status: 400 } });
    const failure = await failureOf(create());
    expect(failure).toMatchObject({ type: 'ProviderRejected', message: expect.not.stringContaining('<') });
    const { excerpt } = await bench.json(roundFile.refused(FOLDER, 1));
    expect(excerpt).toContain('<h1>400 Bad Request</h1>');
  });

  it.each<[string, number, 'not_in_plan' | 'pending']>([
    ['a rate limit of 0', 429, 'not_in_plan'],
    ['no room for pending requests', 429, 'pending'],
    ['no room, as a 422', 422, 'pending'],
    ['no room, as a 400', 400, 'pending'],
  ])(
    'waits for quota when refused with %s, and creates one job when there is some',
    async (_, status, variant) => {
      const { bench, create } = await uploaded();
      await bench.setFaults({ route: 'createJob', nth: 1, fault: { type: 'status', status, variant } });
      const failure = await failureOf(create());
      expect(failure).toMatchObject({ type: 'ProviderQuota', nonRetryable: true, details: [{ status }] });
      expect(afterCreateFailure('ProviderQuota', { status, hadJob: false })).toBe('wait-quota');
      expect(await bench.json(roundFile.refused(FOLDER, 1))).toMatchObject({ type: 'ProviderQuota', status });
      await create();
      expect(await bench.jobs()).toHaveLength(1);
    },
  );

  it('comes back after a rate limit, when it says', async () => {
    const { bench, create } = await uploaded();
    await bench.setFaults({
      route: 'createJob',
      nth: 1,
      fault: { type: 'status', status: 429, retryAfter: 7 },
    });
    const failure = await failureOf(create());
    expect(failure).toMatchObject({ type: 'ProviderRateLimited', nonRetryable: false, nextRetryDelay: 7000 });
    await create();
    expect(await bench.jobs()).toHaveLength(1);
  });

  it('takes a refused connection for a definite refusal', async () => {
    const { bench, input } = await uploaded();
    const away = createProvider('mistral', {
      mistral: { apiKey: API_KEY, baseUrl: 'http://127.0.0.1:9' },
      requestsPerSecond: null,
    });
    onTestFinished(() => away.close());
    const createJob: BatchProvider['createJob'] = (...call) => away.createJob(...call);
    const failure = await failureOf(runActivity(altered(bench, { createJob }), 'createJob', input));
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect(await bench.files()).toContain('rounds/00000-1/refused-1.json');
    await runActivity(bench.deps, 'createJob', input);
    expect(await bench.jobs()).toHaveLength(1);
  });

  it('takes anything that it does not know for an outcome that is not known', async () => {
    const { bench, input } = await uploaded();
    const explode = () => Promise.reject(new Error('out of memory'));
    await expect(runActivity(altered(bench, { createJob: explode }), 'createJob', input)).rejects.toThrow();
    expect(await failureOf(runActivity(bench.deps, 'createJob', input))).toMatchObject({
      type: 'ProviderAmbiguous',
    });
    expect(await bench.jobs()).toHaveLength(0);
  });
});

describe('two attempts at once', () => {
  it('send one POST', async () => {
    const { bench, create } = await uploaded();
    const results = await Promise.allSettled([create(), create({ attempt: 2 }), create({ attempt: 3 })]);
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost.length).toBeLessThan(3);
    for (const { reason } of lost) expect(reason).toMatchObject({ type: 'ProviderAmbiguous' });
    expect(await bench.requests('createJob')).toHaveLength(1);
    expect(await bench.jobs()).toHaveLength(1);
  });

  it('see a list from before the other one sent, and do not trust it', async () => {
    const { bench, create, input } = await uploaded();
    let held = true;
    // Held up between the list and the intents for longer than any settle time, while another attempt sends and dies.
    const store = hookedStore(bench.store, async (call, path) => {
      if (call !== 'list' || path !== FOLDER || !held) return;
      held = false;
      await bench.setFaults({ route: 'createJob', fault: { type: 'reset', when: 'after' } });
      await failureOf(create());
      bench.clock.advance(600_000);
    });
    const failure = await failureOf(runActivity(bench.with({ store }), 'createJob', input));
    expect(failure.type).toBe('ProviderAmbiguous');
    await create();
    expect(await bench.jobs()).toHaveLength(1);
  });
});

describe('time that runs out', () => {
  it('before anything is written sends nothing', async () => {
    const { bench, create } = await uploaded();
    const failure = await failureOf(create({ startToCloseTimeoutMs: 59_000 }));
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect(await bench.files()).not.toContain('rounds/00000-1/intent-1.json');
    expect(await bench.requests('createJob')).toHaveLength(0);
  });

  it('between the list and the intent sends nothing, and writes nothing', async () => {
    const { bench, input, create } = await uploaded();
    const store = hookedStore(bench.store, (call, path) => {
      if (call === 'list' && path === FOLDER) bench.clock.advance(40_000);
    });
    const failure = await failureOf(runActivity(bench.with({ store }), 'createJob', input));
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect(failure.message).toContain('held up');
    expect(await bench.files()).not.toContain('rounds/00000-1/intent-1.json');
    await create();
    expect(await bench.jobs()).toHaveLength(1);
  });

  it('between the intent and the POST sends nothing, and lets the next attempt send at once', async () => {
    const { bench, input, create } = await uploaded();
    const deps = bench.with({
      store: hookedStore(bench.store, (call, path) => {
        if (call === 'writeSmall' && path === roundFile.refused(FOLDER, 1)) return;
        // The process is stopped after it has taken the time for its intent.
        if (call === 'writeSmall' && path === roundFile.intent(FOLDER, 1)) bench.clock.advance(40_000);
      }),
    });
    const failure = await failureOf(runActivity(deps, 'createJob', input));
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    expect(failure.message).toContain('held up');
    expect(await bench.requests('createJob')).toHaveLength(0);
    await create();
    expect(await bench.jobs()).toHaveLength(1);
  });

  it('gives the POST half the settle time', async () => {
    const { bench, input } = await uploaded();
    const timeouts: unknown[] = [];
    const deps = altered(bench, {
      createJob: (request, options) => {
        timeouts.push(options.timeoutMs);
        return bench.provider.createJob(request, options);
      },
    });
    await runActivity({ ...deps, createSettleMs: 10_000 }, 'createJob', input);
    expect(timeouts).toEqual([5_000]);
  });
});

describe('a cancel', () => {
  it('before the POST sends nothing', async () => {
    const { bench, input } = await uploaded();
    const attempt = attemptOf();
    const store = hookedStore(bench.store, (call) => {
      if (call === 'list') attempt.cancel();
    });
    const error = await runActivity(bench.with({ store }), 'createJob', input, attempt).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ name: 'CancelledFailure' });
    expect(await bench.requests('createJob')).toHaveLength(0);
  });

  it('during the POST waits for its answer and keeps the job', async () => {
    const { bench, input, record } = await uploaded();
    const attempt = attemptOf();
    const deps = altered(bench, {
      createJob: (request, options) => {
        attempt.cancel();
        return bench.provider.createJob(request, options);
      },
    });
    const { job } = await runActivity(deps, 'createJob', input, attempt);
    expect(await record()).toMatchObject({ jobId: job.jobId });
    expect(await bench.jobs()).toMatchObject([{ id: job.jobId }]);
  });
});

describe('a job that has an id', () => {
  it('is recorded although the list fails after the POST', async () => {
    const { bench, create, record } = await uploaded();
    await bench.setFaults({ route: 'listJobs', from: 2, fault: { type: 'status', status: 503 } });
    const { job } = await create();
    expect(await record()).toMatchObject({ jobId: job.jobId });
  });

  it('is used although the provider does not show it yet', async () => {
    const { bench, create, find } = await uploaded();
    await bench.setFaults({ route: 'createJob', fault: { type: 'transient404', times: 100 } });
    const { job } = await create();
    expect(await create({ attempt: 2 })).toMatchObject({ job: { jobId: job.jobId, phase: 'unknown' } });
    expect(await find()).toMatchObject({ job: { jobId: job.jobId, phase: 'unknown', status: 'NOT_FOUND' } });
  });
});

describe('what the shard must know', () => {
  it.each([
    ['ProviderAuth', 401, 'an unanswered create', {}, false, true],
    ['ProviderAuth', 401, 'a refused create', {}, true, false],
    ['ProviderAuth', 401, 'an end without a create', { closes: 'run-1' }, false, false],
    ['ProviderQuota', 402, 'an unanswered create', {}, false, true],
    ['ProviderQuota', 402, 'a refused create', {}, true, false],
  ])('%s (%i) after %s: whether a job may run', async (type, status, _what, more, refused, batchHasJob) => {
    const { bench, input } = await uploaded();
    await bench.prepare(rows(2));
    const other = layout.round(BATCH, 7, 1);
    const intent = { n: 1, key: input.key, sendingAt: 0, timeoutMs: 1000, ...more };
    await bench.store.writeSmall(roundFile.intent(other, 1), JSON.stringify(intent));
    if (refused) await bench.store.writeSmall(roundFile.refused(other, 1), '{}');
    await bench.setFaults({ route: 'listJobs', fault: { type: 'status', status } });
    const failure = await failureOf(bench.run('createJob', input));
    expect(failure).toMatchObject({ type, details: [{ status, batchHasJob }] });
  });

  it.each(['findJob', 'createJob', 'upload'] as const)(
    'of a key that stopped working: whether the batch has a job (%s)',
    async (name) => {
      const { bench, input } = await uploaded();
      await bench.prepare(rows(2));
      const other = layout.round(BATCH, 7, 1);
      const run = () => {
        const { shard, round, key } = input;
        if (name === 'findJob') return bench.run('findJob', { shard, round, key, relist: false });
        if (name === 'createJob') return bench.run('createJob', input);
        return bench.run('upload', {
          key,
          path: roundFile.input(FOLDER),
          bytes: 1,
          sha256: '0'.repeat(64),
          rows: 2,
        });
      };
      await bench.setFaults({ route: ['listJobs', 'listFiles'], fault: { type: 'status', status: 401 } });
      const before = await failureOf(run());
      expect(before).toMatchObject({ type: 'ProviderAuth', details: [{ status: 401, batchHasJob: false }] });
      await bench.store.writeSmall(roundFile.job(other), '{}');
      const after = await failureOf(run());
      expect(after).toMatchObject({ type: 'ProviderAuth', details: [{ status: 401, batchHasJob: true }] });
    },
  );
});
