import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../batch/manifest.js';
import { NO_ROWS } from '../../batch/rows.js';
import { LonghaulError } from '../../client/failures.js';
import { readPublished } from '../../client/published.js';

const LIVE: Manifest = {
  batchId: 'b',
  generation: null,
  outcome: null,
  phase: 'running',
  provider: null,
  endpoint: null,
  model: null,
  input: null,
  rows: NO_ROWS,
  jobs: [],
  usage: {},
  results: null,
  errors: null,
  failure: null,
  startedAt: '2026-11-22T12:00:00.000Z',
  finishedAt: null,
};
const FILE = { uri: 'file:///s/b/results.jsonl', rows: 1, bytes: 1, sha256: 'a'.repeat(64) };

/** The store has no manifest at so many looks, then a result. */
function store(looksWithout: number): () => AsyncGenerator<string> {
  let looks = 0;
  return async function* () {
    looks += 1;
    if (looks <= looksWithout) throw new LonghaulError('NotFinished', 'no results yet');
    yield await Promise.resolve('answer');
  };
}

async function collect(
  read: () => AsyncGenerator<string>,
  status: () => Manifest | LonghaulError,
): Promise<string[]> {
  const all: string[] = [];
  const ask = (): Promise<Manifest> => {
    const told = status();
    return told instanceof LonghaulError ? Promise.reject(told) : Promise.resolve(told);
  };
  for await (const item of readPublished(read, ask)) all.push(item);
  return all;
}

describe('results that the store has no manifest of', () => {
  it('are to be waited for while the batch runs, or nobody knows', async () => {
    const answers = [
      LIVE,
      new LonghaulError('TemporalUnavailable', 'x'),
      new LonghaulError('UnknownBatch', 'x'),
    ];
    for (const answer of answers) {
      await expect(collect(store(9), () => answer)).rejects.toMatchObject({ type: 'NotFinished' });
    }
  });

  it('will never be there when the batch was refused', async () => {
    const failure = { type: 'InvalidInput', message: 'line 2 is no object' } as const;
    await expect(collect(store(9), () => ({ ...LIVE, outcome: 'failed', failure }))).rejects.toMatchObject({
      type: 'NoResults',
      message: 'batch b failed and has no results: InvalidInput: line 2 is no object',
    });
  });

  it('will never be there when the workflow was terminated', async () => {
    const terminated = new LonghaulError('BatchTerminated', 'by hand');
    await expect(collect(store(9), () => terminated)).rejects.toBe(terminated);
  });

  it('are handed out when the batch ends meanwhile', async () => {
    expect(await collect(store(1), () => ({ ...LIVE, outcome: 'succeeded', results: FILE }))).toEqual([
      'answer',
    ]);
  });
});

it('results that are there are handed out without a question', async () => {
  const status = (): Manifest => {
    throw new Error('asked');
  };
  expect(await collect(store(0), status)).toEqual(['answer']);
});
