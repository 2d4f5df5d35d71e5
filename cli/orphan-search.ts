import { isTerminal } from '../batch/job-phase.js';
import { fileAction, jobAction, keyOfInputFile, orphanReason } from '../batch/orphans.js';
import type { KeyOwner, OrphanAction, OrphanReason, Standing } from '../batch/orphans.js';
import { JOB_METADATA } from '../batch/wire-names.js';
import type { RunRegistry } from '../client/run-registry.js';
import type { BatchProvider, RemoteFile, RemoteJob } from '../providers/provider.js';
import { hashId, RowLookup } from '../storage/id-index.js';
import type { OrphanLedger } from './orphan-ledger.js';

export interface OrphanJob {
  readonly jobId: string;
  readonly status: string;
  /** ISO 8601 UTC */
  readonly createdAt: string;
  readonly batchId: string | null;
  readonly key: string;
  readonly reason: OrphanReason;
  readonly action: OrphanAction;
}

export interface OrphanFile {
  readonly fileId: string;
  readonly name: string;
  readonly bytes: number | null;
  /** Null when neither the store nor a job with its key tells. */
  readonly batchId: string | null;
  readonly reason: OrphanReason;
  readonly action: OrphanAction;
}

export interface SearchOptions {
  readonly provider: BatchProvider;
  readonly ledger: OrphanLedger;
  readonly runs: RunRegistry;
  /** From `--batch`; empty: every batch. */
  readonly named: readonly string[];
}

/** Who reads an input file: an ended job that is ours or named, or any job that has not ended. */
type Reader = 'ours' | 'live';

/** Batch ids, each once, by the order in which they came. */
class Places {
  readonly #byId = new Map<string, number>();
  readonly #ids: string[] = [];

  placeOf(id: string): number {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    this.#byId.set(id, this.#ids.length);
    return this.#ids.push(id) - 1;
  }

  at(place: number): string | null {
    return this.#ids[place] ?? null;
  }
}

/**
 * Walks the account's jobs, then its files: page by page, keeping 30 bytes or so of each, and the ids of batches that
 * the store has no round of. Jobs come first because they say whose a file is.
 */
export class OrphanSearch {
  readonly #options: SearchOptions;
  readonly #readers: { readonly [R in Reader]: RowLookup } = { ours: new RowLookup(), live: new RowLookup() };
  /** Keys of jobs that no round of the store has, and their batch's place among those seen. */
  readonly #jobKeys = new RowLookup();
  readonly #batches = new Places();

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  async *jobs(): AsyncGenerator<OrphanJob> {
    for await (const job of this.#options.provider.listJobs({}, {})) {
      const orphan = await this.#judgeJob(job);
      if (orphan !== null) yield orphan;
    }
  }

  /** Only after `jobs` has come to its end. */
  async *files(): AsyncGenerator<OrphanFile> {
    for await (const file of this.#options.provider.listFiles({}, {})) {
      const orphan = await this.#judgeFile(file);
      if (orphan !== null) yield orphan;
    }
  }

  async #judgeJob(job: RemoteJob): Promise<OrphanJob | null> {
    const { ledger, named } = this.#options;
    const live = !isTerminal(job.phase);
    if (live) this.#noteReader(job, 'live');
    const key = job.metadata[JOB_METADATA.key];
    if (key === undefined) return null;
    const batchId = job.metadata[JOB_METADATA.batch] ?? null;
    const owner = ledger.ownerOf(key);
    if (owner === null && batchId !== null) this.#jobKeys.add(hashId(key), this.#batches.placeOf(batchId));
    const kept = ledger.jobOf(job.id);
    if (kept === 'kept' || (kept === 'duplicate' && !live)) return null;
    const standing = await this.#standingOf(batchId, job.metadata[JOB_METADATA.run]);
    if (!live && (standing.ours || standing.named)) this.#noteReader(job, 'ours');
    if (named.length > 0 && !standing.named) return null;
    return {
      jobId: job.id,
      status: job.status,
      createdAt: new Date(job.createdAt).toISOString(),
      batchId,
      key,
      reason: this.#reasonOf(owner, batchId),
      action: jobAction(job.phase, standing),
    };
  }

  async #judgeFile(file: RemoteFile): Promise<OrphanFile | null> {
    const { ledger, named } = this.#options;
    const key = keyOfInputFile(file.name);
    if (key === null || ledger.ownsFile(file.id)) return null;
    const owner = ledger.ownerOf(key);
    // The upload of a round whose job is not made yet.
    if (owner !== null && !owner.recorded) return null;
    const batchId = owner?.batchId ?? this.#batches.at(this.#jobKeys.get(hashId(key)));
    if (named.length > 0 && (batchId === null || !named.includes(batchId))) return null;
    const standing = await this.#standingOf(batchId, undefined);
    const ours = this.#isRead(file.id, 'ours');
    return {
      fileId: file.id,
      name: file.name,
      bytes: file.bytes,
      batchId,
      reason: this.#reasonOf(owner, batchId),
      action: fileAction(this.#isRead(file.id, 'live'), { ...standing, ours }),
    };
  }

  #reasonOf(owner: KeyOwner | null, batchId: string | null): OrphanReason {
    const batchKnown = batchId !== null && this.#options.ledger.knowsBatch(batchId);
    return orphanReason({ owner, batchId, batchKnown });
  }

  /**
   * Ours: the store has the batch, and this Temporal the run that made the job. The name alone proves nothing: who runs
   * the same input elsewhere gets the same batch id.
   */
  async #standingOf(batchId: string | null, run: string | undefined): Promise<Standing> {
    if (batchId === null) return { ours: false, named: false, open: false };
    const { ledger, runs } = this.#options;
    const mayBe = run !== undefined && ledger.knowsBatch(batchId);
    const ours = mayBe && (await runs.knowsRun(batchId, run));
    const named = this.#options.named.includes(batchId);
    // What is neither is not touched anyway, and an account may have a lot of it.
    const open = (ours || named || ledger.knowsBatch(batchId)) && (await runs.isOpen(batchId));
    return { ours, named, open };
  }

  #noteReader(job: RemoteJob, reader: Reader): void {
    for (const file of job.inputFiles) this.#readers[reader].add(hashId(file), 0);
  }

  #isRead(fileId: string, reader: Reader): boolean {
    return this.#readers[reader].get(hashId(fileId)) !== -1;
  }
}
