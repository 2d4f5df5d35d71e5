import { describe, expect, it } from 'vitest';
import { Bench } from '../support/activity-env.js';
import { ENDPOINT, MODEL, rows } from '../support/activity-inputs.js';

describe('the plan of an earlier run', () => {
  async function planned() {
    const bench = await Bench.start();
    const uri = await bench.input(rows(3));
    const input = { input: { uri }, endpoint: ENDPOINT, model: MODEL };
    const prepared = await bench.run('prepare', input);
    return { bench, input, prepared };
  }

  it('is what prepare would say of it', async () => {
    const { bench, input } = await planned();
    const again = await bench.run('prepare', input);
    expect(again).toMatchObject({ kind: 'prepared', resumed: true });
    expect(await bench.run('findPlan', input)).toEqual({ plan: again });
  });

  it('is found though the input is gone', async () => {
    const { bench, input } = await planned();
    const gone = { ...input, input: { uri: 'file:///nowhere/input.jsonl' } };
    expect((await bench.run('findPlan', gone)).plan).toMatchObject({ shards: 1, rows: 3 });
  });

  it('is none of a batch with other settings, or without settings that can be read', async () => {
    const { bench, input } = await planned();
    const others = [
      { ...input, endpoint: '/v1/embeddings' },
      { ...input, model: 'another-model' },
      { ...input, jobTimeout: '1h' },
      { ...input, input: { ...input.input, sha256: '0'.repeat(64) } },
      { ...input, surprise: true },
      null,
    ];
    for (const other of others) expect(await bench.run('findPlan', other)).toEqual({ plan: null });
  });

  it('is none when there was no run, or when it has a manifest', async () => {
    const { bench, input } = await planned();
    await bench.assemble({ cancelled: true, unanswered: 'cancelled' });
    expect(await bench.run('findPlan', input)).toEqual({ plan: null });
    const empty = await Bench.start();
    expect(await empty.run('findPlan', input)).toEqual({ plan: null });
  });
});

it('an end that stands is not replaced by a run that was cancelled before it was prepared', async () => {
  const bench = await Bench.start();
  await bench.prepare(rows(2));
  const standing = await bench.assemble();
  const late = { generation: null, cancelled: true, startedAt: '2030-01-01T00:00:00.000Z' };
  expect(await bench.assemble(late)).toEqual(standing);
});
