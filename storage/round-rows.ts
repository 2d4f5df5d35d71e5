import { layout, roundFile } from '../batch/layout.js';
import { BatchCursor } from './batch-cursor.js';
import { customIdOf } from './custom-id.js';
import { StorageError } from './errors.js';
import { hashId, RowLookup } from './id-index.js';
import { readLines } from './jsonl.js';
import { shardRows } from './shard-rows.js';
import type { Store } from './store.js';

/** A row of a round; its rank is its number among the round's rows. */
export interface RoundRow {
  readonly position: number;
  readonly line: number;
  /** Null when Longhaul gave the row its id. */
  readonly customId: string | null;
}

/**
 * The rows that a round sent, in order. A round's input is a part of its shard, in the shard's order and byte for byte,
 * so the two are walked side by side.
 */
export async function* roundRows(
  store: Store,
  batchId: string,
  shard: number,
  round: number,
  signal: AbortSignal,
): AsyncGenerator<(RoundRow & { readonly sentId: string })[]> {
  const path = roundFile.input(layout.round(batchId, shard, round));
  const sent = new BatchCursor(readLines(store.read(path, { signal })));
  try {
    await sent.advance();
    for await (const rows of shardRows(store, batchId, shard, signal)) {
      const found: (RoundRow & { readonly sentId: string })[] = [];
      for (const row of rows) {
        if (sent.current === null || !sent.current.bytes.equals(row.bytes)) continue;
        const sentId = customIdOf(row.bytes) ?? '';
        const { position, line, generatedId } = row;
        found.push({ position, line, customId: generatedId ? null : sentId, sentId });
        if (!sent.tryAdvance()) await sent.advance();
      }
      if (found.length > 0) yield found;
    }
    if (sent.current !== null) throw foreign(store, path, sent.current.line);
  } finally {
    await sent.close();
  }
}

function foreign(store: Store, path: string, line: number): StorageError {
  const message = `${store.uriOf(path)}, line ${line}, is not in its shard; restore both, or start with another --id`;
  return new StorageError('IntegrityMismatch', path, message);
}

/** From the ids of a round's rows to their ranks; 28 MB for a million rows. */
export async function lookupOf(
  rows: AsyncIterable<readonly { readonly sentId: string }[]>,
): Promise<RowLookup> {
  const lookup = new RowLookup();
  let rank = 0;
  for await (const batch of rows) {
    for (const { sentId } of batch) {
      lookup.add(hashId(sentId), rank);
      rank += 1;
    }
  }
  return lookup;
}
