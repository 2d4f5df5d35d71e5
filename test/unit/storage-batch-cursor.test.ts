import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchCursor } from '../../storage/batch-cursor.js';

async function* batches<T>(items: readonly (readonly T[])[], onEnd: () => void = () => undefined) {
  try {
    yield* items;
  } finally {
    onEnd();
  }
}

describe('a cursor over batches', () => {
  it('gives every item once, in order, however they are batched', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.array(fc.integer())),
      fc.array(fc.boolean()),
      async (items, tries) => {
        const cursor = new BatchCursor(batches(items));
        const seen: number[] = [];
        expect(cursor.current).toBeNull();
        for (let step = 0; ; step += 1) {
          if (tries[step % Math.max(1, tries.length)] !== true || !cursor.tryAdvance())
            await cursor.advance();
          if (cursor.current === null) break;
          seen.push(cursor.current);
        }
        expect(seen).toEqual(items.flat());
      },
    );
    await fc.assert(property);
  });

  it('stays at its end', async () => {
    const cursor = new BatchCursor(batches([[1], []]));
    expect(await cursor.advance()).toBe(1);
    expect(await cursor.advance()).toBeNull();
    expect(cursor.tryAdvance()).toBe(false);
    expect(await cursor.advance()).toBeNull();
    expect(cursor.current).toBeNull();
  });

  it('keeps the item at hand when there is no other in the batch', async () => {
    const cursor = new BatchCursor(batches([[1], [2]]));
    await cursor.advance();
    expect(cursor.tryAdvance()).toBe(false);
    expect(cursor.current).toBe(1);
    expect(await cursor.advance()).toBe(2);
  });

  it('ends its source when it is closed early, and may be closed again', async () => {
    let ended = 0;
    const cursor = new BatchCursor(batches([[1], [2]], () => (ended += 1)));
    await cursor.advance();
    await cursor.close();
    await cursor.close();
    expect(ended).toBe(1);
    expect(await cursor.advance()).toBeNull();
  });

  it('hands on what its source throws', async () => {
    const source = (async function* () {
      yield [1];
      throw new Error('broken');
    })();
    const cursor = new BatchCursor(source);
    await cursor.advance();
    await expect(cursor.advance()).rejects.toThrow('broken');
  });
});
