import { layout, roundFile } from '../batch/layout.js';
import { addsUp } from '../batch/rows.js';
import type { RoundAccountRecord } from '../schemas/records.js';
import type { Store } from '../storage/store.js';
import { BatchError } from './batch-error.js';
import { readAccount } from './closed-rounds.js';
import { recordText } from './records.js';

/**
 * Writes the account that closes a round; of two attempts the first one's stands. It has the provider's words about a
 * failed job, which may echo rows: readable by the owner only.
 */
export async function closeRound(
  store: Store,
  batchId: string,
  account: RoundAccountRecord,
): Promise<RoundAccountRecord> {
  const { shard, round, rows } = account;
  const path = roundFile.account(layout.round(batchId, shard, round));
  if (!addsUp(rows)) {
    throw new BatchError(
      'AccountingMismatch',
      `the rows of shard ${shard}, round ${round} do not add up: ${JSON.stringify(rows)}; the answers are in ${store.uriOf(roundFile.answers(layout.round(batchId, shard, round)))}`,
    );
  }
  const { created } = await store.writeSmall(path, recordText(account), { ifAbsent: true, secret: true });
  return created ? account : ((await readAccount(store, batchId, shard, round)) ?? account);
}
