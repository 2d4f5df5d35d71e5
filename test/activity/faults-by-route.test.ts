import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bench } from '../support/activity-env.js';
import { rows } from '../support/activity-inputs.js';
import type { Wire } from '../support/activity-inputs.js';
import { PatientBatch } from '../support/patient-batch.js';

/** Each fault on each route that a batch uses: the same results, and one job for each shard and round. */

const SHARDS = 2;
/** Every row that failed for a passing reason is sent again: a second round for each shard. */
const ROW_ERRORS = { route: 'createJob', fault: { type: 'rowErrors', customIds: ['r1', 'r7'], attempts: 1 } };
const ROUNDS = 2;

const ROUTES = [
  'listJobs',
  'listFiles',
  'uploadFile',
  'createJob',
  'getJob',
  'getFile',
  'fileContent',
] as const;

/** Faults of the exchange, which any route may meet. */
const FAULTS: readonly (readonly [string, Wire])[] = [
  ['429', { type: 'status', status: 429 }],
  ['429 with Retry-After', { type: 'status', status: 429, retryAfter: 3 }],
  ['429 to be repeated at once', { type: 'status', status: 429, retryAfter: 0 }],
  ['503 to be repeated at once', { type: 'status', status: 503, retryAfter: 0 }],
  ['429 for want of capacity', { type: 'status', status: 429, variant: 'capacity' }],
  ['429 of an older gateway', { type: 'status', status: 429, variant: 'legacy' }],
  ['500', { type: 'status', status: 500 }],
  ['502', { type: 'status', status: 502 }],
  ['503 with Retry-After', { type: 'status', status: 503, retryAfter: 1 }],
  ['503 as a page', { type: 'status', status: 503, variant: 'html' }],
  ['504', { type: 'status', status: 504 }],
  ['408', { type: 'status', status: 408 }],
  ['425', { type: 'status', status: 425 }],
  ['a reset before its effect', { type: 'reset', when: 'before' }],
  ['a reset after its effect', { type: 'reset', when: 'after' }],
  ['500 after its effect', { type: 'status', status: 500, when: 'after' }],
  ['502 after its effect', { type: 'status', status: 502, when: 'after' }],
  ['latency', { type: 'latency', ms: 30 }],
];

/** What only some routes can do. */
const OF_A_ROUTE: readonly (readonly [string, string, Wire])[] = [
  ['createJob', 'no answer in the list for a while', { type: 'listLag', ms: 30_000 }],
  ['createJob', 'a 404 for a while', { type: 'transient404', times: 3 }],
  ['createJob', 'an answer that is a page', { type: 'rawBody' }],
  ['uploadFile', 'an answer that is a page', { type: 'rawBody' }],
  ['uploadFile', 'no size', { type: 'bytesNull' }],
  ['uploadFile', 'bytes that trickle', { type: 'slowUpload', bytesPerSecond: 20_000 }],
  ['listFiles', 'no sizes', { type: 'bytesNull' }],
  ['listFiles', 'an item that fits no schema', { type: 'poisonedItem' }],
  ['listJobs', 'an item that fits no schema', { type: 'poisonedItem' }],
  ['listJobs', 'an item in the place of another', { type: 'poisonedItem', mode: 'replace' }],
  ['listJobs', 'an unknown status', { type: 'unknownStatus' }],
  ['listJobs', 'wrong counters', { type: 'wrongCounters' }],
  ['getJob', 'an unknown status', { type: 'unknownStatus' }],
  ['getJob', 'wrong counters', { type: 'wrongCounters' }],
  ['getJob', 'an answer that is a page', { type: 'rawBody' }],
  ['getFile', 'no size', { type: 'bytesNull' }],
  ['fileContent', 'bytes that trickle', { type: 'slowDownload', bytesPerSecond: 50_000 }],
  ['fileContent', 'a cut', { type: 'truncatedDownload' }],
  ['fileContent', 'a cut behind a line', { type: 'truncatedDownload', atLineEnd: true, ending: 'short' }],
  ['fileContent', 'a cut without a length', { type: 'truncatedDownload', ending: 'chunked' }],
  ['fileContent', 'bytes that are compressed', { type: 'gzipDownload' }],
  ['fileContent', 'a page', { type: 'rawBody' }],
];

async function play(...rules: readonly Wire[]): Promise<string> {
  const bench = await Bench.start({ emulator: { jobSeconds: 60 } });
  await bench.setFaults(ROW_ERRORS, ...rules);
  await bench.prepare(rows(10), { shardRows: 5 });
  const results = await new PatientBatch(bench).run(SHARDS);
  const keys = (await bench.jobs()).map(({ metadata }) => JSON.stringify(metadata));
  expect(keys).toHaveLength(SHARDS * ROUNDS);
  expect(new Set(keys).size).toBe(keys.length);
  return results;
}

let undisturbed: string | undefined;

/** The routes of a batch that is stopped, and of one that is cleaned up behind itself. */
const LEAVING = ['cancelJob', 'deleteFile'] as const;

/** The second shard's job never begins and is cancelled; then the files of both are deleted. */
async function leave(route?: string, faults: typeof FAULTS = []): Promise<string> {
  const bench = await Bench.start({ emulator: { jobSeconds: 60 } });
  const rules = faults.map(([, fault], n) => ({ route, nth: n + 1, fault }));
  await bench.setFaults({ route: 'createJob', nth: 2, fault: { type: 'stuckQueued' } }, ...rules);
  await bench.prepare(rows(10), { shardRows: 5 });
  const batch = new PatientBatch(bench);
  const results = await batch.run(2, 1);
  await batch.cleanUp();
  expect((await bench.requests(route)).length).toBeGreaterThan(faults.length);
  const jobs = await bench.jobs();
  expect(jobs.map(({ status }) => status).toSorted()).toEqual(['CANCELLED', 'SUCCESS']);
  for await (const { id } of bench.provider.listFiles({}, {})) throw new Error(`file ${id} was left`);
  expect(await bench.requests('deleteJob')).toEqual([]);
  // A cancelled row names its job.
  return jobs.reduce((text, { id }) => text.replaceAll(String(id), 'JOB'), results);
}

describe('a batch that is cancelled and cleaned up ends alike', () => {
  it.each(LEAVING)('with every fault on %s, one call after another, this way and that', async (route) => {
    const calm = await leave();
    expect(calm.match(/"cancelled"/g)).toHaveLength(5);
    for (const faults of [FAULTS, FAULTS.toReversed()]) expect(await leave(route, faults)).toBe(calm);
  });
});

describe('a batch ends alike', () => {
  it.each(ROUTES)('with every fault on %s, one call after another, this way and that', async (route) => {
    undisturbed ??= await play();
    for (const faults of [FAULTS, FAULTS.toReversed()]) {
      const rules = faults.map(([, fault], n) => ({ route, nth: n + 1, fault }));
      expect(await play(...rules)).toBe(undisturbed);
    }
  });

  it.each(OF_A_ROUTE)('with %s: %s, on the first and the third call', async (route, _, fault) => {
    undisturbed ??= await play();
    expect(await play({ route, nth: [1, 3], fault })).toBe(undisturbed);
  });

  it('with any of them at random, a third of all requests', { timeout: 120_000 }, async () => {
    undisturbed ??= await play();
    const property = fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
      const probability = 1 / 3 / FAULTS.length;
      const rules = FAULTS.map(([, fault]) => ({ route: [...ROUTES], seed, probability, count: 150, fault }));
      expect(await play(...rules)).toBe(undisturbed);
    });
    await fc.assert(property, { numRuns: 8 });
  });
});
