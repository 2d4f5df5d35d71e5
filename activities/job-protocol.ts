import {
  chooseStanding,
  chooseSurvivor,
  createTimeoutMs,
  decideCreate,
  isUnanswered,
  nextLookMs,
} from '../batch/create-decision.js';
import type { CreateDecision, CreateFacts, Intent } from '../batch/create-decision.js';
import { FAILURE_TYPES, waitsFor } from '../batch/failure-types.js';
import { isTerminal } from '../batch/job-phase.js';
import { isShown, NOT_FOUND } from '../batch/job-snapshot.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import { layout, numberedFile, roundFile } from '../batch/layout.js';
import { JOB_METADATA } from '../batch/wire-names.js';
import { ProviderError } from '../providers/errors.js';
import type { BatchProvider, RemoteJob } from '../providers/provider.js';
import { intentSchema, jobRecordSchema } from '../schemas/records.js';
import type { IntentRecord, JobRecord, RefusedRecord } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import type { Attempt } from './attempt.js';
import { asUnavailable } from './as-unavailable.js';
import { BatchError } from './batch-error.js';
import type { ActivityDeps } from './deps.js';
import { toSnapshot } from './job-snapshot.js';
import { recordText } from './records.js';

export interface SettledJob {
  readonly job: JobSnapshot;
  readonly duplicates: readonly JobSnapshot[];
}

export interface RoundAddress {
  readonly shard: number;
  readonly round: number;
  readonly key: string;
}

/**
 * The records and look-ups behind "one job per key" (design section 3.2). `findJob` goes through steps 1 to 3,
 * `createJob` through all six; both on every attempt, because nothing an earlier attempt saw is still certain.
 */
export class JobProtocol {
  readonly timeoutMs: number;
  readonly #deps: ActivityDeps;
  readonly #provider: BatchProvider;
  readonly #attempt: Attempt;
  readonly #address: RoundAddress;
  readonly #folder: string;
  /** When the last list was asked for; nothing is known of what happened since. */
  #listedAt = Number.NEGATIVE_INFINITY;
  #listEndedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: ActivityDeps, provider: BatchProvider, attempt: Attempt, address: RoundAddress) {
    this.#deps = deps;
    this.#provider = provider;
    this.#attempt = attempt;
    this.#address = address;
    this.#folder = layout.round(attempt.batchId, address.shard, address.round);
    this.timeoutMs = createTimeoutMs(deps.createSettleMs);
  }

  /** Step 1. A record of another key means that the round's input was changed under us. */
  async recorded(): Promise<JobRecord | null> {
    const path = roundFile.job(this.#folder);
    const record = await readRecord(this.#deps.store, path, jobRecordSchema);
    if (record !== null && record.key !== this.#address.key) {
      throw new BatchError(
        'StorageMismatch',
        `${this.#deps.store.uriOf(path)} is of another input: the batch's folder was changed by hand or copied. Restore it, or start with another --id`,
      );
    }
    return record;
  }

  /** A recorded job. One that the provider does not show yet, or no more, is for the shard's polls to judge. */
  async load({ jobId, createdAt }: JobRecord): Promise<JobSnapshot> {
    try {
      return toSnapshot(await this.#provider.getJob(jobId, this.#call()));
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.type !== 'ProviderNotFound') throw asUnavailable(error);
      return {
        jobId,
        phase: 'unknown',
        status: NOT_FOUND,
        counts: { total: 0, completed: 0, succeeded: 0, failed: 0 },
        outputFile: null,
        errorFile: null,
        createdAt,
        completedAt: null,
      };
    }
  }

  /**
   * Step 2. All pages and statuses; filtered again here, since a provider may ignore the filter. While a create is
   * unanswered and no job is known, one may run: a list that can't be read then is read again, for as long as it takes.
   */
  async listed(): Promise<RemoteJob[]> {
    const filter = {
      metadata: { [JOB_METADATA.key]: this.#address.key },
      // Asked when the list has been read: what was sent by then is in the store.
      mayLackMetadataSince: () => this.#unansweredSince(),
      isKnown: (await this.recorded()) !== null,
    };
    this.#listedAt = this.#deps.clock.now();
    const jobs: RemoteJob[] = [];
    try {
      for await (const job of this.#provider.listJobs(filter, { signal: this.#attempt.signal })) {
        if (job.metadata[JOB_METADATA.key] === this.#address.key) jobs.push(job);
      }
    } catch (error) {
      throw (await this.#mayLoseJob(error)) ? this.#unlisted(error) : error;
    }
    this.#listEndedAt = this.#deps.clock.now();
    return jobs;
  }

  /** Whether the shard would end for this failure, though a job of it may run. */
  async #mayLoseJob(error: unknown): Promise<boolean> {
    if (!(error instanceof ProviderError) || waitsFor(error.type) !== null) return false;
    return FAILURE_TYPES[error.type].retry !== 'yes' && (await this.#unansweredSince()) !== null;
  }

  /** When the first create was sent that nobody was told the end of; null: there is none, or its job is on record. */
  async #unansweredSince(): Promise<number | null> {
    if ((await this.recorded()) !== null) return null;
    const { intents, refused } = await this.#sent();
    const sent = intents.filter((intent) => isUnanswered(intent, refused)).map(({ sendingAt }) => sendingAt);
    return sent.length === 0 ? null : Math.min(...sent);
  }

  /** Since the last list was read: long, if the process was stopped between. */
  get listAgeMs(): number {
    return this.#deps.clock.now() - this.#listEndedAt;
  }

  /** Steps 5 and 6: of all jobs with the key, the one that every observer chooses; the record decides for good. */
  async settleOn(jobs: readonly RemoteJob[]): Promise<SettledJob | null> {
    const chosen = chooseStanding(jobs);
    if (chosen === null) return null;
    const record = this.#recordOf(chosen);
    const path = roundFile.job(this.#folder);
    const { created } = await this.#deps.store.writeSmall(path, recordText(record), { ifAbsent: true });
    const kept = created ? record : ((await this.recorded()) ?? record);
    return this.choose(kept, jobs);
  }

  /**
   * The job on record, and the others. What has ended is asked for itself: an entry of a list may leave its files out. If it
   * does not show there, the list is believed: whoever did not find it asked at the wrong moment.
   */
  async choose(record: JobRecord, jobs: readonly RemoteJob[]): Promise<SettledJob> {
    const listed = jobs.find(({ id }) => id === record.jobId);
    return {
      job: await this.#seen(record, listed),
      duplicates: jobs.filter(({ id }) => id !== record.jobId).map(toSnapshot),
    };
  }

  async #seen(record: JobRecord, listed: RemoteJob | undefined): Promise<JobSnapshot> {
    if (listed !== undefined && !isTerminal(listed.phase)) return toSnapshot(listed);
    const loaded = await this.load(record);
    return listed === undefined || isShown(loaded) ? loaded : toSnapshot(listed);
  }

  /**
   * Puts another job with the key in the place of the recorded one, which is lost. Attempts agree: a later one finds
   * the new record and changes nothing.
   */
  async replace(record: JobRecord, jobs: readonly RemoteJob[], lost: string): Promise<JobRecord> {
    if (record.jobId !== lost) return record;
    const survivor = chooseSurvivor(jobs, lost);
    if (survivor === null) return record;
    const next = this.#recordOf(survivor);
    await this.#deps.store.writeSmall(roundFile.job(this.#folder), recordText(next));
    return next;
  }

  #recordOf({ id, createdAt, inputFiles }: RemoteJob): JobRecord {
    return { key: this.#address.key, jobId: id, createdAt, inputFiles: [...inputFiles] };
  }

  /**
   * Step 3: whether a create may be sent, from the intents and refusals in the store. An intent is settled only for a
   * list that was asked for after its settle time: an attempt may be held up between the two for as long as it takes.
   */
  async decide(run: string | undefined): Promise<CreateDecision> {
    const { createSettleMs: settleMs } = this.#deps;
    return decideCreate({ ...(await this.#sent()), settleMs, now: this.#listedAt, run });
  }

  async #sent(): Promise<Pick<CreateFacts, 'intents' | 'refused'>> {
    const intents: Intent[] = [];
    const refused = new Set<number>();
    for await (const { path } of this.#deps.store.list(this.#folder)) {
      const refusal = numberedFile(path, 'refused');
      if (refusal !== null) refused.add(refusal);
      if (numberedFile(path, 'intent') === null) continue;
      const intent = await readRecord(this.#deps.store, path, intentSchema);
      if (intent !== null) intents.push(intent);
    }
    return { intents, refused };
  }

  #unlisted(cause: unknown): BatchError {
    const { shard, round } = this.#address;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the job of shard ${shard}, round ${round} may have been created, and is looked for again: ${why}`;
    return new BatchError('ProviderAmbiguous', message);
  }

  /** An earlier create may have happened: come back, at the latest when its job would be listed. */
  ambiguousUntil(at: number): BatchError {
    const { clock, createSettleMs: settleMs } = this.#deps;
    return new BatchError(
      'ProviderAmbiguous',
      `the job of shard ${this.#address.shard}, round ${this.#address.round} may have been created; looking again before anything is sent`,
      { retryDelayMs: nextLookMs({ at, now: clock.now(), settleMs }) },
    );
  }

  /**
   * Step 4, before the POST: exactly one attempt may own intent `n`. With `closes`, no POST follows: an attempt of that
   * run which has decided on `n` loses it, and one that decides later sees that its run has given up.
   */
  async writeIntent(
    n: number,
    closing: Pick<IntentRecord, 'closes' | 'unlisted'> = {},
  ): Promise<IntentRecord> {
    const { clock, createSettleMs, store } = this.#deps;
    const { key } = this.#address;
    const intent = { n, key, sendingAt: clock.now(), timeoutMs: this.timeoutMs, ...closing };
    const path = roundFile.intent(this.#folder, n);
    const { created } = await store.writeSmall(path, recordText(intent), { ifAbsent: true });
    if (!created) throw this.ambiguousUntil(clock.now() + createSettleMs);
    return intent;
  }

  /** The POST of this intent has made no job. The provider's words may echo rows: readable by the owner only. */
  async writeRefusal(
    n: number,
    refusal: Pick<RefusedRecord, 'type' | 'message' | 'status' | 'excerpt'>,
  ): Promise<void> {
    const record: RefusedRecord = { n, key: this.#address.key, ...refusal };
    const path = roundFile.refused(this.#folder, n);
    await this.#deps.store.writeSmall(path, recordText(record), { ifAbsent: true, secret: true });
  }

  #call(): { readonly signal: AbortSignal } {
    return { signal: this.#attempt.signal };
  }
}
