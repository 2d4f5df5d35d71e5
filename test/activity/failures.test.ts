import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import {
  ActivityCancellationDetails,
  ApplicationFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { BatchError } from '../../activities/batch-error.js';
import { toApplicationFailure } from '../../activities/to-application-failure.js';
import { FAILURE_TYPES, isFailureType } from '../../batch/failure-types.js';
import { layout, roundFile } from '../../batch/layout.js';
import { ProviderError } from '../../providers/errors.js';
import type { BatchProvider } from '../../providers/provider.js';
import { createProvider } from '../../providers/registry.js';
import { StorageError } from '../../storage/errors.js';
import { attemptOf, Bench, runActivity } from '../support/activity-env.js';
import { API_KEY, BATCH, createInput, ENDPOINT, jsonl, MODEL, row } from '../support/activity-inputs.js';
import { hookedStore } from '../support/store-hooks.js';

const CONTEXT = { streak: null, batchHasJob: false, aborted: false, cancelRequested: false };
const TYPES = Object.keys(FAILURE_TYPES).filter(isFailureType);

/** All that a failure puts into a history: message, stack, details, causes. */
function encoded(error: unknown): string {
  return JSON.stringify(
    defaultFailureConverter.errorToFailure(error, defaultPayloadConverter),
    (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value),
  );
}

describe('the retry rule', () => {
  it.each(TYPES)('of %s is the registry’s', (type) => {
    for (const before of [0, 3, 4, 99]) {
      const streak = before === 0 ? null : { type, attempts: before };
      const failure = toApplicationFailure(new BatchError(type, 'words'), { ...CONTEXT, streak });
      const { retry } = FAILURE_TYPES[type];
      const isFinal = retry === 'no' || (retry === 'few' && before >= 4);
      expect(failure).toMatchObject({ type, message: 'words', nonRetryable: isFinal });
    }
  });

  it('waits as long as the provider or the protocol says', () => {
    const limited = new ProviderError('ProviderRateLimited', 'slow', {
      effect: 'refused',
      status: 429,
      retryAfterMs: 7,
    });
    expect(toApplicationFailure(limited, CONTEXT)).toMatchObject({ nextRetryDelay: 7, nonRetryable: false });
    const ambiguous = new BatchError('ProviderAmbiguous', 'wait', { retryDelayMs: 9 });
    expect(toApplicationFailure(ambiguous, CONTEXT)).toMatchObject({
      nextRetryDelay: 9,
      nonRetryable: false,
    });
  });

  it('leaves the wait to the retry policy where the provider wants none: Temporal takes 0 for no next attempt', () => {
    for (const retryAfterMs of [0, 0.4]) {
      const atOnce = new ProviderError('ProviderUnavailable', 'busy', {
        effect: 'refused',
        status: 503,
        retryAfterMs,
      });
      const failure = toApplicationFailure(atOnce, CONTEXT);
      expect(failure).toMatchObject({ nextRetryDelay: undefined, nonRetryable: false });
    }
  });

  it('knows the failures of providers and stores', () => {
    const provider = new ProviderError('ProviderQuota', 'full', {
      effect: 'refused',
      status: 402,
      excerpt: 'SECRET',
    });
    const failure = toApplicationFailure(provider, { ...CONTEXT, batchHasJob: true });
    expect(failure).toMatchObject({ type: 'ProviderQuota', details: [{ status: 402, batchHasJob: true }] });
    expect(encoded(failure)).not.toContain('SECRET');
    const storage = toApplicationFailure(
      new StorageError('StorageFull', 'p', 'full', { cause: 'SECRET' }),
      CONTEXT,
    );
    expect(storage).toMatchObject({ type: 'StorageFull', nonRetryable: false });
    expect(encoded(storage)).not.toContain('SECRET');
  });
});

describe('an attempt that was told to stop', () => {
  const settings = { endpoint: ENDPOINT, model: MODEL };

  async function stopped(reason: Parameters<ReturnType<typeof attemptOf>['cancel']>): Promise<unknown> {
    const bench = await Bench.start();
    const uri = await bench.input(jsonl([row('a')]));
    const attempt = attemptOf();
    const store = hookedStore(bench.store, (call) => {
      if (call === 'openWriter') attempt.cancel(...reason);
    });
    const done = runActivity(bench.with({ store }), 'prepare', { input: { uri }, ...settings }, attempt);
    await done.catch(() => undefined);
    await runActivity(bench.deps, 'prepare', { input: { uri }, ...settings });
    return runActivity(
      bench.deps,
      'beginRound',
      { shard: 0, round: 1, mode: { kind: 'normal', rebuyLost: false, finalFrom: 1 }, mayBegin: true },
      attempt,
    ).then(
      () => null,
      (error: unknown) => error,
    );
  }

  it('by its workflow is cancelled', async () => {
    expect(await stopped([])).toMatchObject({ name: 'CancelledFailure' });
  });

  it('by the shutdown of its worker is retried', async () => {
    const details = new ActivityCancellationDetails({ workerShutdown: true });
    const failure = await stopped(['WORKER_SHUTDOWN', details]);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'WorkerShutdown', nonRetryable: false });
  });

  it('and failed for another reason says that', () => {
    const stop = { ...CONTEXT, aborted: true, cancelRequested: true };
    const refused = new ProviderError('ProviderRejected', 'no', { effect: 'refused', status: 422 });
    expect(toApplicationFailure(refused, stop)).toMatchObject({ type: 'ProviderRejected' });
  });
});

describe('an error that nobody foresaw', () => {
  it('is retried, with its name and without what it quotes', () => {
    for (const broken of ['SECRET', '{"a": SECRET}']) {
      const error = (() => {
        try {
          return JSON.parse(broken) as unknown;
        } catch (thrown) {
          return thrown;
        }
      })();
      const failure = toApplicationFailure(new TypeError('it broke', { cause: error }), CONTEXT);
      expect(failure).toMatchObject({ type: 'TypeError', message: 'it broke', nonRetryable: false });
      expect(encoded(failure)).not.toContain('SECRET');
      const direct = toApplicationFailure(error, CONTEXT);
      expect(direct).toMatchObject({ type: 'SyntaxError', nonRetryable: false });
      expect(encoded(direct)).not.toContain('SECRET');
      expect(encoded(direct)).toContain('failures.test.ts');
    }
    expect(toApplicationFailure('thrown text', CONTEXT)).toMatchObject({
      type: 'Error',
      message: 'thrown text',
    });
  });
});

describe('a planted secret', () => {
  const ROW = 'SECRET-ROW-CONTENT';
  const ID = 'SECRET-CUSTOM-ID';
  const CONTENT = jsonl([row(ID, { body: { prompt: ROW } }), row(`${ID}-2`, { body: { prompt: ROW } })]);

  function echoing(status: number) {
    const body = JSON.stringify({
      detail: [{ loc: ['body'], msg: `${ROW} ${ID}`, type: 'value_error', input: ROW, key: API_KEY }],
    });
    return { status, body };
  }

  /** A provider that repeats in every error what it was sent, the key too. */
  async function failures(bench: Bench): Promise<unknown[]> {
    const caught: unknown[] = [];
    const keep = async (promise: Promise<unknown>) => promise.catch((error: unknown) => caught.push(error));
    await bench.prepare(CONTENT);
    const open = await bench.begin();
    const { key, path, bytes, sha256, rows } = open;
    for (const status of [200, 400, 401, 402, 403, 404, 422, 429, 500, 503]) {
      const answer = echoing(status);
      const server = createServer((request, response) => {
        request
          .resume()
          .on('end', () =>
            response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body),
          );
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const provider = createProvider('mistral', {
        mistral: { apiKey: API_KEY, baseUrl: `http://127.0.0.1:${port}` },
        requestsPerSecond: null,
      });
      // Its list must be empty, so that the create is reached.
      const listing: BatchProvider = {
        ...provider,
        listJobs: (...call) => bench.provider.listJobs(...call),
      };
      const deps = bench.with({ provider: () => provider, createSettleMs: 1 });
      await keep(runActivity(deps, 'checkAccount', {}));
      await keep(runActivity(deps, 'findJob', { shard: 0, round: 1, key, relist: false }));
      await keep(runActivity(deps, 'upload', { key, path, bytes, sha256, rows }));
      await keep(runActivity({ ...deps, provider: () => listing }, 'createJob', createInput({ key })));
      await keep(runActivity(deps, 'getJob', { jobId: 'job-1' }));
      await keep(runActivity(deps, 'cancelJob', { jobId: 'job-1' }));
      bench.clock.advance(1_000);
      await provider.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    return caught;
  }

  it('is in no failure, whatever the provider repeats, and in files for their owner only', async () => {
    const bench = await Bench.start();
    const caught = await failures(bench);
    expect(caught.length).toBeGreaterThan(50);
    for (const error of caught) {
      const text = encoded(error);
      for (const secret of [ROW, ID, API_KEY]) expect(text).not.toContain(secret);
      expect(error).toHaveProperty('type');
    }
    const folder = join(bench.dir, 'store', layout.round(BATCH, 0, 1));
    for (const name of await readdir(folder)) {
      expect(await readFile(join(folder, name), 'utf8')).not.toContain(API_KEY);
    }
  });

  it.each([
    ['the plan', layout.plan(BATCH)],
    ['a shard', layout.shard(BATCH, 0)],
    ['an index', layout.shardIndex(BATCH, 0)],
    ['a round’s input', roundFile.input(layout.round(BATCH, 0, 1))],
    ['a job’s record', roundFile.job(layout.round(BATCH, 0, 1))],
    ['an intent', roundFile.intent(layout.round(BATCH, 0, 1), 1)],
    ['answers', roundFile.answers(layout.round(BATCH, 0, 1))],
    ['an account', roundFile.account(layout.round(BATCH, 0, 1))],
    ['the manifest', layout.manifest(BATCH)],
  ])('is in no failure when the store is damaged: %s', async (_, path) => {
    const bench = await Bench.start();
    await bench.prepare(CONTENT);
    const { open, job } = await bench.round();
    await bench.assemble();
    const steps: readonly (() => Promise<unknown>)[] = [
      () => bench.prepareUri(`file://${join(bench.dir, 'input.jsonl')}`),
      () => bench.begin(),
      () => bench.begin({ round: 2 }),
      () => bench.run('findJob', { shard: 0, round: 1, key: open.key, relist: false }),
      () => bench.run('createJob', createInput({ key: open.key })),
      () =>
        bench.run('collect', {
          shard: 0,
          round: 1,
          job,
          deleted: false,
          deadlinePassed: false,
          takes: open.takes,
          duplicates: [],
        }),
      () => bench.assemble({ generation: 2 }),
      () => bench.run('cleanup', { cleanup: 'all' }),
    ];
    const account = roundFile.account(layout.round(BATCH, 0, 1));
    if (!path.endsWith('account.json') && !path.endsWith('answers.jsonl')) await bench.store.remove(account);
    if (path.includes('intent')) await bench.store.remove(roundFile.job(layout.round(BATCH, 0, 1)));
    await bench.setFaults({
      route: 'listJobs',
      fault: { type: 'rawBody', body: '{"data":[],"total":0}', contentType: 'application/json' },
    });
    const caught: unknown[] = [];
    for (const damage of [`${ROW} ${ID}`, `{"${ROW}":"${ID}"}\n`, '']) {
      await writeFile(join(bench.dir, 'store', path), damage);
      for (const step of steps) await step().catch((error: unknown) => caught.push(error));
    }
    expect(caught.length).toBeGreaterThan(0);
    for (const error of caught)
      for (const secret of [ROW, ID, API_KEY]) expect(encoded(error)).not.toContain(secret);
  });
});
