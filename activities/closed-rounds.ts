import { layout, roundFile } from '../batch/layout.js';
import { roundAccountSchema } from '../schemas/records.js';
import type { RoundAccountRecord } from '../schemas/records.js';
import type { ClosedRound } from '../storage/round-answers.js';
import type { Store } from '../storage/store.js';
import { readRecord } from '../storage/record.js';

export function readAccount(
  store: Store,
  batchId: string,
  shard: number,
  round: number,
): Promise<RoundAccountRecord | null> {
  const path = roundFile.account(layout.round(batchId, shard, round));
  return readRecord(store, path, roundAccountSchema);
}

/** Accounts of a shard's closed rounds, from the first on; rounds are closed one after another. */
export async function closedAccounts(
  store: Store,
  batchId: string,
  shard: number,
  before = Number.POSITIVE_INFINITY,
): Promise<RoundAccountRecord[]> {
  const accounts: RoundAccountRecord[] = [];
  for (let round = 1; round < before; round += 1) {
    const account = await readAccount(store, batchId, shard, round);
    if (account === null) break;
    accounts.push(account);
  }
  return accounts;
}

export function asClosedRound(batchId: string, account: RoundAccountRecord): ClosedRound {
  const { shard, round, answers } = account;
  return { round, folder: layout.round(batchId, shard, round), sha256: answers.sha256 };
}
