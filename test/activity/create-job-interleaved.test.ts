import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CreateWorld, MAX_LAG_MS, settled } from '../support/create-world.js';
import type { PostFate } from '../support/create-world.js';

const fate: fc.Arbitrary<PostFate> = fc.record({
  effect: fc.constantFrom('job', 'job', 'refused', 'nothing'),
  answered: fc.boolean(),
  lagMs: fc.integer({ min: 0, max: MAX_LAG_MS }),
});

type Move =
  | { readonly do: 'start' }
  | { readonly do: 'run'; readonly place: number; readonly calls: number }
  | { readonly do: 'kill'; readonly place: number }
  | { readonly do: 'wait'; readonly ms: number };

const place = fc.nat({ max: 1 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'start' } as const) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      place,
      calls: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 15 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), place }) },
  {
    weight: 3,
    // Moments, settle times, and a laptop that slept.
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 10_000, max: 200_000 }),
        fc.constant(3_600_000),
      ),
    }),
  },
);

/** Drained: no attempt is left waiting at its end. */
async function play(world: CreateWorld, moves: readonly Move[], drained = true): Promise<void> {
  for (const next of moves) {
    if (next.do === 'wait') world.advance(next.ms);
    else if (next.do === 'run') await world.run(next.place, next.calls);
    else if (next.do === 'kill') world.kill(next.place);
    else if (world.waiting < 3) {
      void world.start();
      await settled();
    }
  }
  while (drained && world.waiting > 0) await world.run(0, 1);
}

/** Attempts one after the other, as Temporal makes them, until one has the job. */
async function finish(world: CreateWorld): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const end = world.start();
    await settled();
    while (world.waiting > 0) await world.run(0, 1);
    const { nextRetryMs } = await end;
    if (nextRetryMs === null) return;
    world.advance(nextRetryMs);
  }
  throw new Error('no attempt ever had the job');
}

describe('attempts to create one job', () => {
  it('never make two, however they interleave, die and sleep, and end with the one that there is', async () => {
    const property = fc.asyncProperty(
      fc.array(fate, { maxLength: 4 }),
      fc.array(move, { minLength: 1, maxLength: 12 }),
      async (fates, moves) => {
        const world = new CreateWorld(fates);
        await play(world, moves);
        await finish(world);
        expect(world.jobs).toHaveLength(1);
        const id = world.jobs[0]?.job.id;
        expect(new Set(world.results)).toEqual(new Set([id]));
        expect(await world.recordedJob()).toMatchObject({ jobId: id });
      },
    );
    await fc.assert(property, { numRuns: 1000 });
  });

  it('make none behind the back of a shard that gave up, whatever was left of them', async () => {
    const property = fc.asyncProperty(
      fc.array(fate, { maxLength: 4 }),
      fc.array(move, { minLength: 1, maxLength: 8 }),
      fc.array(move, { maxLength: 8 }),
      async (fates, before, after) => {
        const world = new CreateWorld(fates);
        await play(world, before, false);
        const found = await world.close();
        await play(world, after);
        expect(world.jobs.map(({ job }) => job.id)).toEqual(found === null ? [] : [found]);
      },
    );
    await fc.assert(property, { numRuns: 1000 });
  });

  it('would make two if a list lagged for longer than the settle time', async () => {
    const world = new CreateWorld([{ effect: 'job', answered: false, lagMs: 10_000_000 }]);
    await finish(world);
    expect(world.jobs).toHaveLength(2);
  });
});
