import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Activities, CollectResult } from '../../activities/contract.js';
import { countRows, subtractCounts } from '../../batch/rows.js';
import { refusal } from '../support/provider-errors.js';
import { WorkflowEnv } from '../support/workflow-env.js';

/** Sums that can't be true end a batch loudly, whichever activity returns them. */

let env: WorkflowEnv;

beforeAll(async () => {
  env = await WorkflowEnv.start(inject('workflowBundlePath'));
});

afterAll(() => env.close());

const ONE = countRows('succeeded', 1);

/** What `collect` says of the second shard, changed. */
function lying(change: (sums: CollectResult) => Partial<CollectResult>) {
  return ({ collect }: Activities): Partial<Activities> => ({
    collect: async (input) => {
      const sums = await collect(input);
      return input.shard === 1 ? { ...sums, ...change(sums) } : sums;
    },
  });
}

test.each<[string, (own: Activities) => Partial<Activities>, string]>([
  [
    'loses-a-row',
    lying(({ rows }) => ({ rows: subtractCounts(rows, ONE) })),
    'shard 1, round 1: 2 rows were sent',
  ],
  [
    'counts-twice',
    lying(({ rows }) => ({ rows: { ...rows, succeeded: 3 } })),
    'shard 1, round 1: its rows do not',
  ],
  [
    'another-class',
    // Believable by itself: only the results know better.
    lying(({ rows }) => ({ rows: { ...rows, succeeded: 1, failed: 1 }, answered: 2 })),
    'the shards count 3 succeeded, 1 failed',
  ],
  ['takes-what-was-not-there', lying(() => ({ takes: ONE })), 'shard 1, round 1: it took rows'],
])(
  'a round that %s ends the batch as AccountingMismatch, without a manifest',
  async (id, activities, message) => {
    const batch = await env.batch(id, { rows: 4, input: { shardRows: 2 }, activities });
    await expect(batch.run()).rejects.toMatchObject({
      cause: { type: 'AccountingMismatch', message: expect.stringContaining(message) as string },
    });
    await expect(batch.manifest()).rejects.toThrow('ENOENT');
    // What was answered is left.
    expect(await batch.words()).toEqual(['ok', 'ok', 'ok', 'ok']);
    const { searchAttributes } = await batch.handle.describe();
    expect(searchAttributes).toMatchObject({ LonghaulOutcome: ['failed'] });
  },
);

test('sums that can’t be true are not covered up by what failed before', async () => {
  const batch = await env.batch('covered-up', {
    rows: 4,
    input: { shardRows: 2, maxJobs: 1 },
    activities: lying(({ rows }) => ({ rows: subtractCounts(rows, ONE) })),
  });
  batch.provider.fault = (route, n) =>
    route === 'createJob' && n === 1 ? refusal('ProviderRejected', 422) : null;
  await expect(batch.run()).rejects.toMatchObject({ cause: { type: 'AccountingMismatch' } });
  await expect(batch.manifest()).rejects.toThrow('ENOENT');
});

test('results with another number of rows than the input end the batch as AccountingMismatch', async () => {
  const batch = await env.batch('short-results', {
    activities: ({ assemble }) => ({
      assemble: async (input) => {
        const { summary } = await assemble(input);
        return { summary: { ...summary, rows: subtractCounts(summary.rows, ONE) } };
      },
    }),
  });
  await expect(batch.run()).rejects.toMatchObject({
    cause: {
      type: 'AccountingMismatch',
      message: expect.stringContaining('the input has 4 rows and the results 3') as string,
    },
  });
});
