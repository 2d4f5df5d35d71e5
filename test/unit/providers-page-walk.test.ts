import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, walkPages, type WalkEnd } from '../../providers/mistral/page-walk.js';
import type { ListPage } from '../../schemas/mistral/list-page.js';

interface Walked {
  readonly ids: readonly string[];
  readonly unreadable: readonly unknown[];
  readonly end: WalkEnd;
  readonly pages: number;
}

async function walk(pageAt: (page: number, call: number) => ListPage<string>): Promise<Walked> {
  const unreadable: unknown[] = [];
  let pages = 0;
  const steps = walkPages<string>({
    fetchPage: async (page) => pageAt(page, pages++),
    idOf: (id) => id,
    onUnreadable: (entry) => unreadable.push(entry),
  });
  const ids: string[] = [];
  for (;;) {
    const step = await steps.next();
    if (step.done === true) return { ids, unreadable, end: step.value, pages };
    ids.push(step.value);
  }
}

function ids(count: number, prefix = 'id'): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
}

function slice(all: readonly string[], page: number, size = PAGE_SIZE): ListPage<string> {
  return {
    hasData: true,
    items: all.slice(page * size, (page + 1) * size),
    unreadable: [],
    total: all.length,
  };
}

describe('walkPages', () => {
  it("sees every entry once, whatever the list's length and the server's own page size", async () => {
    const sizes = fc.record({ count: fc.nat({ max: 350 }), size: fc.integer({ min: 1, max: PAGE_SIZE }) });
    const property = fc.asyncProperty(sizes, fc.boolean(), async ({ count, size }, saysTotal) => {
      const all = ids(count);
      const walked = await walk((page) => ({
        ...slice(all, page, size),
        ...(saysTotal ? {} : { total: null }),
      }));
      expect(walked.ids).toEqual(all);
      expect(walked.end).toBe('complete');
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('needs one page for a short list that says its total', async () => {
    expect((await walk((page) => slice(ids(3), page))).pages).toBe(1);
    expect((await walk((page) => slice([], page))).pages).toBe(1);
  });

  it('drops repeats when new entries push others to the next page', async () => {
    const all = ids(150);
    const walked = await walk((page, call) => slice([...ids(call * 5, `new-${call}`), ...all], page));
    expect(walked.ids.filter((id) => id.startsWith('id-'))).toEqual(all);
    expect(new Set(walked.ids).size).toBe(walked.ids.length);
  });

  it('starts over when entries were deleted meanwhile, and then misses none', async () => {
    const all = ids(150);
    // After the first page ten of its entries are gone, and ten others have moved up past the walk.
    const walked = await walk((page, call) => slice(call === 0 ? all : all.slice(10), page));
    expect(new Set(walked.ids)).toEqual(new Set(all));
    expect(walked.end).toBe('complete');
  });

  it('says so when a list shrinks at every walk', async () => {
    const all = ids(400);
    const walked = await walk((page, call) => slice(all.slice(call * 10), page));
    expect(walked.end).toBe('shrinks');
  });

  it('leaves a list that ignores its page number', async () => {
    const walked = await walk(() => ({ ...slice(ids(100), 0), total: 1_000 }));
    expect(walked).toMatchObject({ end: 'repeats', ids: ids(100) });
    expect(walked.pages).toBeLessThan(6);
    const poisoned = await walk(() => ({ hasData: true, items: [], unreadable: [{ x: 1 }], total: null }));
    expect(poisoned).toMatchObject({ end: 'repeats', unreadable: [{ x: 1 }] });
  });

  it('is not taken for empty where it counts entries and brings no list of them', async () => {
    const withheld = { hasData: false, items: [], unreadable: [], total: 1 };
    expect(await walk(() => withheld)).toMatchObject({ end: 'withheld' });
    expect(await walk(() => ({ ...withheld, total: 0 }))).toMatchObject({ end: 'complete' });
    // Behind the last entry there is nothing to bring.
    const behind = await walk((page) =>
      page === 0 ? { ...slice(ids(1), 0), total: 5 } : { ...withheld, total: 5 },
    );
    expect(behind).toMatchObject({ end: 'complete' });
  });

  it('hands on each unreadable entry once', async () => {
    const walked = await walk((page) => ({
      hasData: true,
      items: [`id-${page}`],
      unreadable: [{ page }],
      total: 4,
    }));
    expect(walked).toMatchObject({ ids: ['id-0', 'id-1'], unreadable: [{ page: 0 }, { page: 1 }] });
  });
});
