import { expect, it } from 'vitest';
import { newestOnly } from '../../client/newest-runs.js';

interface Run {
  readonly batchId: string;
  readonly runId: string;
  readonly open: boolean;
}

function run(batchId: string, runId: string, open = false): Run {
  return { batchId, runId, open };
}

/** What comes of a list when these are the newest runs; and what was asked for. */
async function listed(
  runs: Iterable<Run>,
  newest: Record<string, string>,
): Promise<{ runIds: string[]; asked: (readonly string[])[] }> {
  const asked: (readonly string[])[] = [];
  const runIds: string[] = [];
  async function* source(): AsyncGenerator<Run> {
    yield* runs;
  }
  const lookUp = async (batchIds: readonly string[]) => {
    asked.push(batchIds);
    return new Map(Object.entries(newest).filter(([batchId]) => batchIds.includes(batchId)));
  };
  for await (const { runId } of newestOnly(source(), lookUp)) runIds.push(runId);
  return { runIds, asked };
}

it('a batch is listed once, by its newest run', async () => {
  const runs = [run('a', 'a3', true), run('b', 'b2'), run('a', 'a2'), run('b', 'b1'), run('a', 'a1')];
  const { runIds, asked } = await listed(runs, { a: 'a3', b: 'b2' });
  expect(runIds).toEqual(['a3', 'b2']);
  expect(asked).toEqual([['b', 'a']]);
});

it('an older run that alone passed the filter is not shown for the batch', async () => {
  expect((await listed([run('a', 'a1')], { a: 'a2' })).runIds).toEqual([]);
});

it('a run that nobody could look up is shown', async () => {
  expect((await listed([run('a', 'a1')], {})).runIds).toEqual(['a1']);
});

it('open runs are asked nothing about: they are the newest', async () => {
  expect(await listed([run('a', 'a1', true)], {})).toEqual({ runIds: ['a1'], asked: [] });
});

it('a list of any length is looked up in pieces', async () => {
  const runs = Array.from({ length: 120 }, (_, n) => run(`b${n}`, `r${n}`));
  const { runIds, asked } = await listed(runs, {});
  expect(runIds).toHaveLength(120);
  expect(asked.map((ids) => ids.length)).toEqual([50, 50, 20]);
});
