import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { E2eHome } from '../support/e2e-home.js';
import { expectNoProcess } from '../support/e2e-processes.js';
import { questions, writeRows } from '../support/e2e-rows.js';

/** Seeded random faults on every route that a batch uses, from the command line down. */

const BATCH = 'faulty';
const SHARDS = 3;
const ROWS = questions(60);
/** A row of each shard fails once, so that each shard has a second round. */
const FLAKY = { type: 'rowErrors', customIds: ['question-3', 'question-25', 'question-45'], attempts: 1 };
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
/** Together they strike a fifth of the requests. */
const EXCHANGE_FAULTS: readonly object[] = [
  { type: 'status', status: 429, retryAfter: 1 },
  { type: 'status', status: 429, variant: 'capacity' },
  { type: 'status', status: 500 },
  { type: 'status', status: 503, retryAfter: 0 },
  { type: 'status', status: 502, when: 'after' },
  { type: 'status', status: 504, when: 'after' },
  { type: 'reset', when: 'before' },
  { type: 'reset', when: 'after' },
];
const PROBABILITY = 0.2;
/** Pauses between attempts double: without an end to the faults a test might take as long as it likes. */
const REQUESTS_PER_ROUTE = 25;

function randomFaults(seed: number): readonly object[] {
  const drawn = { seed, count: REQUESTS_PER_ROUTE };
  return [
    ...ROUTES.flatMap((route) => [
      ...EXCHANGE_FAULTS.map((fault) => ({
        ...drawn,
        route,
        probability: PROBABILITY / EXCHANGE_FAULTS.length,
        fault,
      })),
      { ...drawn, route, probability: PROBABILITY, fault: { type: 'latency', ms: 300 } },
    ]),
    // Shorter than the settle time of the home, which is 4 s.
    { ...drawn, route: 'createJob', probability: 0.5, fault: { type: 'listLag', ms: 1_500 } },
    { ...drawn, route: 'createJob', probability: 0.5, fault: { type: 'transient404', ms: 1_500 } },
    { ...drawn, route: 'getFile', probability: PROBABILITY, fault: { type: 'bytesNull' } },
    { ...drawn, route: 'getJob', probability: PROBABILITY, fault: { type: 'unknownStatus' } },
  ];
}

/** Runs the batch in a home of its own. */
async function play(faults: readonly object[], check: (home: E2eHome) => Promise<void>): Promise<Buffer> {
  const home = await E2eHome.create();
  try {
    const input = await writeRows(join(home.folder, 'questions.jsonl'), ROWS);
    await home.emulator.setFaults({ route: 'createJob', fault: FLAKY }, ...faults);
    await home.run(input, BATCH, '--shard-rows', String(ROWS.length / SHARDS)).exits(0);
    await check(home);
    await expectNoProcess(home.path);
    await home.expectNoTempFiles();
    return await home.results(BATCH);
  } finally {
    await home.remove();
  }
}

/** One accepted job for each shard and round, and the manifest knows them all. */
async function expectJobsOnce(home: E2eHome): Promise<void> {
  const jobs = await home.emulator.jobs();
  const keys = jobs.map(({ metadata }) => metadata?.['longhaul_key']);
  expect(new Set(keys).size).toBe(SHARDS * ROUNDS);
  expect(jobs).toHaveLength(SHARDS * ROUNDS);
  expect(await home.emulator.effects('createJob')).toBe(SHARDS * ROUNDS);
  const { outcome, jobs: listed } = await home.manifest(BATCH);
  expect(outcome).toBe('succeeded');
  expect(new Set(listed.map(({ jobId }) => jobId))).toEqual(new Set(jobs.map(({ id }) => id)));
  expect(listed.map(({ shard, round }) => `${shard}/${round}`)).toEqual([
    '0/1',
    '0/2',
    '1/1',
    '1/2',
    '2/1',
    '2/2',
  ]);
}

let undisturbed: Buffer;
const struckRoutes = new Set<string | null>();

beforeAll(async () => {
  undisturbed = await play([], expectJobsOnce);
});

describe.concurrent('a fifth of all requests fails', { timeout: 300_000 }, () => {
  test.each([1, 2, 3])('and the results are the same, each job bought once (seed %i)', async (seed) => {
    const results = await play(randomFaults(seed), async (home) => {
      await expectJobsOnce(home);
      const struck = (await home.emulator.journal()).filter(({ fault }) => fault !== undefined);
      expect(struck.length, 'requests that were struck').toBeGreaterThan(20);
      for (const { route } of struck) struckRoutes.add(route);
    });
    expect(results.equals(undisturbed)).toBe(true);
  });
});

test('between them the seeds struck every route', () => {
  expect(struckRoutes).toEqual(new Set(ROUTES));
});
