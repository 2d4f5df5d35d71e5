import { layout } from '../batch/layout.js';
import { BatchCursor } from './batch-cursor.js';
import { StorageError } from './errors.js';
import { readLines } from './jsonl.js';
import { openRowIndex } from './row-index.js';
import type { RowIndexEntry } from './row-index.js';
import type { Store } from './store.js';

export interface ShardRow extends RowIndexEntry {
  /** The row as it is sent, without a line end. */
  readonly bytes: Buffer;
}

/** The rows of a shard in order, each with its place in the input. */
export async function* shardRows(
  store: Store,
  batchId: string,
  shard: number,
  signal: AbortSignal,
): AsyncGenerator<ShardRow[]> {
  const index = await openRowIndex(store, layout.shardIndex(batchId, shard));
  const entries = new BatchCursor(index.read({ signal }));
  const path = layout.shard(batchId, shard);
  try {
    await entries.advance();
    for await (const lines of readLines(store.read(path, { signal }))) {
      const rows: ShardRow[] = [];
      for (const { bytes } of lines) {
        const entry = entries.current;
        if (entry?.length !== bytes.length) throw disagrees(store, path);
        rows.push({ ...entry, bytes });
        if (!entries.tryAdvance()) await entries.advance();
      }
      yield rows;
    }
    if (entries.current !== null) throw disagrees(store, path);
  } finally {
    await entries.close();
  }
}

function disagrees(store: Store, path: string): StorageError {
  return new StorageError(
    'IntegrityMismatch',
    path,
    `${store.uriOf(path)} and its index do not belong together; restore both, or start with another --id`,
  );
}
