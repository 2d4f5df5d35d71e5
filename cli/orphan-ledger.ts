import { isBatchId } from '../batch/batch-id.js';
import { roundKeyText } from '../batch/keys.js';
import { layout, numberedFile, parseRoundPath, roundFile } from '../batch/layout.js';
import type { KeyOwner } from '../batch/orphans.js';
import { manifestSchema } from '../schemas/manifest.js';
import { intentSchema, jobRecordSchema, planSchema, roundAccountSchema } from '../schemas/records.js';
import { hashing, sha256Hex } from '../storage/hash.js';
import { hashId, RowLookup } from '../storage/id-index.js';
import { readRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

const KEPT = 0;
const DUPLICATE = 1;

/**
 * What the batches of a store own at the provider: keys, jobs, files. Some 100 bytes for each round, in typed arrays,
 * whatever the rounds hold.
 */
export class OrphanLedger {
  readonly #batchIds: string[] = [];
  readonly #batches = new RowLookup();
  /** Key → twice the batch's number, plus one if the round's job is recorded. */
  readonly #keys = new RowLookup();
  readonly #jobs = new RowLookup();
  readonly #files = new RowLookup();

  knowsBatch(batchId: string): boolean {
    return this.#batches.get(hashId(batchId)) !== -1;
  }

  ownerOf(key: string): KeyOwner | null {
    const value = this.#keys.get(hashId(key));
    if (value === -1) return null;
    return { batchId: this.#batchIds[Math.floor(value / 2)] ?? '', recorded: value % 2 === 1 };
  }

  /** `kept`: the job of its round. `duplicate`: a second one that a batch has listed. */
  jobOf(jobId: string): 'kept' | 'duplicate' | null {
    const value = this.#jobs.get(hashId(jobId));
    if (value === -1) return null;
    return value === KEPT ? 'kept' : 'duplicate';
  }

  ownsFile(fileId: string): boolean {
    return this.#files.get(hashId(fileId)) !== -1;
  }

  addBatch(batchId: string): void {
    if (this.#batches.add(hashId(batchId), this.#batchIds.length)) this.#batchIds.push(batchId);
  }

  addRound(batchId: string, key: string, recorded: boolean): void {
    this.addBatch(batchId);
    const batch = this.#batches.get(hashId(batchId));
    this.#keys.add(hashId(key), batch * 2 + Number(recorded));
  }

  addJob(jobId: string, duplicate: boolean): void {
    this.#jobs.add(hashId(jobId), duplicate ? DUPLICATE : KEPT);
  }

  addFile(fileId: string): void {
    this.#files.add(hashId(fileId), 0);
  }
}

/** The files of one round, as a listing of the store names them. */
interface RoundListing {
  readonly folder: string;
  readonly batchId: string;
  readonly shard: number;
  readonly round: number;
  readonly paths: string[];
}

/** Reads what every round of every batch has on record. */
export async function readLedger(store: Store): Promise<OrphanLedger> {
  const ledger = new OrphanLedger();
  for await (const listing of rounds(store, ledger)) {
    const key = await recordedKey(store, ledger, listing);
    if (key !== null) ledger.addRound(listing.batchId, key.key, key.recorded);
  }
  return ledger;
}

/** Whether a round of the batch has this job, or this input file, by now. */
export async function isOnRecord(store: Store, batchId: string, id: string): Promise<boolean> {
  // It is what somebody's metadata says.
  if (!isBatchId(batchId)) return false;
  for await (const { path } of store.list(layout.rounds(batchId))) {
    if (!path.endsWith('/job.json')) continue;
    const record = await readRecord(store, path, jobRecordSchema);
    if (record !== null && (record.jobId === id || record.inputFiles.includes(id))) return true;
  }
  return false;
}

/** A round's files come one after another, because the store lists by path. */
async function* rounds(store: Store, ledger: OrphanLedger): AsyncGenerator<RoundListing> {
  let current: RoundListing | undefined;
  for await (const { path } of store.list('')) {
    const batchId = path.slice(0, Math.max(0, path.indexOf('/')));
    if (path === layout.plan(batchId)) ledger.addBatch(batchId);
    if (path === layout.manifest(batchId)) await addManifest(store, ledger, batchId);
    const place = parseRoundPath(path);
    if (place === null) continue;
    const folder = layout.round(batchId, place.shard, place.round);
    if (current?.folder !== folder) {
      if (current !== undefined) yield current;
      current = { folder, batchId, ...place, paths: [] };
    }
    current.paths.push(path);
  }
  if (current !== undefined) yield current;
}

/** Duplicates that were found after their round was closed are in the manifest alone. */
async function addManifest(store: Store, ledger: OrphanLedger, batchId: string): Promise<void> {
  ledger.addBatch(batchId);
  const manifest = await readRecord(store, layout.manifest(batchId), manifestSchema);
  for (const { jobId, duplicate } of manifest?.jobs ?? []) ledger.addJob(jobId, duplicate === true);
}

async function recordedKey(
  store: Store,
  ledger: OrphanLedger,
  listing: RoundListing,
): Promise<{ readonly key: string; readonly recorded: boolean } | null> {
  const { folder, paths } = listing;
  const account = await readRecord(store, roundFile.account(folder), roundAccountSchema);
  const record = await readRecord(store, roundFile.job(folder), jobRecordSchema);
  for (const file of [...(account?.files.input ?? []), ...(record?.inputFiles ?? [])]) ledger.addFile(file);
  if (account !== null) {
    ledger.addJob(account.job.jobId, false);
    for (const { jobId } of account.duplicates) ledger.addJob(jobId, true);
  }
  if (record !== null) ledger.addJob(record.jobId, false);
  const key = account?.key ?? record?.key;
  if (key !== undefined) return { key, recorded: true };
  for (const path of paths.filter((each) => numberedFile(each, 'intent') !== null)) {
    const intent = await readRecord(store, path, intentSchema);
    if (intent !== null) return { key: intent.key, recorded: false };
  }
  const computed = await computedKey(store, listing);
  return computed === null ? null : { key: computed, recorded: false };
}

/** A round that was begun and has sent nothing but maybe its input: its key is in no record yet. */
async function computedKey(store: Store, listing: RoundListing): Promise<string | null> {
  const { folder, batchId, shard, round, paths } = listing;
  const input = roundFile.input(folder);
  const plan = await readRecord(store, layout.plan(batchId), planSchema);
  if (plan === null || !paths.includes(input)) return null;
  const source = hashing(store.read(input));
  for await (const _chunk of source.bytes);
  const { endpoint, model } = plan;
  const inputSha256 = source.digest();
  return sha256Hex(roundKeyText({ batchId, shard, round, inputSha256, endpoint, model }));
}
