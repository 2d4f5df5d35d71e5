import type { ListPage } from '../../schemas/mistral/list-page.js';

export const PAGE_SIZE = 100;

/** Pages in a row without anything new, after which the list is taken to ignore its page number. */
const MAX_STALE_PAGES = 3;

/** Walks in all, when entries are deleted meanwhile. */
const MAX_WALKS = 3;

/**
 * Whether every entry was seen. `repeats`: the list never came to the end that it announced. `shrinks`:
 * entries were deleted during each walk, so that others may have slipped past. `withheld`: it counts entries and brought
 * none, not even an empty list.
 */
export type WalkEnd = 'complete' | 'repeats' | 'shrinks' | 'withheld';

export interface PageWalk<Item> {
  readonly fetchPage: (page: number) => Promise<ListPage<Item>>;
  readonly idOf: (item: Item) => string;
  readonly onUnreadable: (entry: unknown) => void;
}

/**
 * Every entry once, over all pages. The list has page numbers and no cursor, so it shifts under the walk:
 * - new entries push others to a later page: repeats are dropped by id;
 * - deleted ones pull others to an earlier page, past us: `total` goes down, and the walk starts over;
 * - a page may be shorter than asked for (the server's own limit): only an empty page ends the walk, or a
 *   short one once as many entries were seen as `total` says.
 */
export async function* walkPages<Item>(walk: PageWalk<Item>): AsyncGenerator<Item, WalkEnd, undefined> {
  const given = new Set<string>();
  for (let walks = 1; ; walks++) {
    const end = yield* walkOnce(walk, given);
    if (end !== 'shrinks' || walks === MAX_WALKS) return end;
  }
}

async function* walkOnce<Item>(
  walk: PageWalk<Item>,
  given: Set<string>,
): AsyncGenerator<Item, WalkEnd, undefined> {
  const met = new Set<string>();
  let entries = 0;
  let stale = 0;
  let lastTotal = 0;
  let shrunk = false;
  for (let number = 0; ; number++) {
    const page = await walk.fetchPage(number);
    if (page.total !== null) {
      shrunk ||= page.total < lastTotal;
      lastTotal = page.total;
    }
    const metBefore = met.size;
    for (const entry of page.unreadable) {
      const key = `unreadable ${textOf(entry)}`;
      if (!met.has(key) && !given.has(key)) walk.onUnreadable(entry);
      met.add(key);
      given.add(key);
    }
    for (const item of page.items) {
      const key = `id ${walk.idOf(item)}`;
      met.add(key);
      if (given.has(key)) continue;
      given.add(key);
      yield item;
    }
    const length = page.items.length + page.unreadable.length;
    entries += length;
    if (entries === 0 && !page.hasData && lastTotal > 0) return 'withheld';
    const isLast = length === 0 || (length < PAGE_SIZE && page.total !== null && entries >= page.total);
    if (isLast) return shrunk ? 'shrinks' : 'complete';
    stale = met.size > metBefore ? 0 : stale + 1;
    if (stale === MAX_STALE_PAGES) return 'repeats';
  }
}

/** What tells entries apart. Unlike the parser, the writer recurses: all that are nested too deeply for it are one. */
function textOf(entry: unknown): string {
  try {
    return JSON.stringify(entry);
  } catch {
    return 'nested too deeply';
  }
}
