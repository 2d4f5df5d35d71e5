import { sleep } from '@temporalio/activity';
import { unansweredRows } from '../batch/job-end.js';
import { isTerminal } from '../batch/job-phase.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import { layout, roundFile } from '../batch/layout.js';
import { nextFileLookMs, nextReadingMs } from '../batch/output-doubt.js';
import type { OutputReading } from '../batch/output-doubt.js';
import { failedForQuota } from '../batch/quota-text.js';
import { ProviderError } from '../providers/errors.js';
import type { BatchProvider, RemoteJob } from '../providers/provider.js';
import { jobRecordSchema } from '../schemas/records.js';
import type { JobRecord, RoundAccountRecord } from '../schemas/records.js';
import { lookupOf, roundRows } from '../storage/round-rows.js';
import { createScratch } from '../storage/scratch.js';
import type { SealedFile, Store, StoreWriter } from '../storage/store.js';
import { readRecord } from '../storage/record.js';
import { AnswerSorter } from './answer-sorter.js';
import { AnswerWriter } from './answer-writer.js';
import { asUnavailable } from './as-unavailable.js';
import { currentAttempt } from './attempt.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import { EarlierAnswers } from './earlier-answers.js';
import { closeRound } from './close-round.js';
import { readAccount } from './closed-rounds.js';
import type { CollectInput, CollectResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { OutputReader } from './output-reader.js';
import { requirePlan } from './records.js';
import { roundAccount } from './round-account.js';

/**
 * Reads a finished job's result files, gives every row of the round its answer or the reason why there is none, and
 * closes the round with `account.json`.
 *
 * *Idempotency*: `account.json` is created once and closes the round; before it, everything is written anew.
 * *Retries*: from the first byte; a download that was cut short is noticed and repeated.
 * *Cancellation*: between two pieces; the round stays open, its job's output stays at the provider.
 */
export async function collect(deps: ActivityDeps, input: CollectInput): Promise<CollectResult> {
  const attempt = currentAttempt();
  const { batchId } = attempt;
  const { shard, round } = input;
  const standing = await readAccount(deps.store, batchId, shard, round);
  if (standing !== null) return asResult(standing);
  const plan = await requirePlan(deps.store, batchId);
  const provider = deps.provider(plan.provider);
  const record = await requireJob(deps.store, roundFile.job(layout.round(batchId, shard, round)));
  const scratch = await createScratch(deps.scratchDir, `collect-${batchId}-${shard}-${round}`);
  try {
    const readings: OutputReading[] = [];
    for (let repeated = attempt.number > 1; ; repeated = true) {
      const job = repeated ? await jobByNow(provider, attempt, input) : input.job;
      const collection = new Collection(deps, attempt, provider, { ...input, job }, record);
      const account = await collection.run(scratch.dir, readings);
      if (typeof account !== 'number') return asResult(account);
      await sleep(account);
    }
  } catch (error) {
    throw asUnavailable(error);
  } finally {
    await scratch.dispose();
  }
}

function asResult({ rows, answered, takes, retryable, failure, quota }: RoundAccountRecord): CollectResult {
  return { rows, answered, takes, retryable, failure, quota };
}

async function requireJob(store: Store, path: string): Promise<JobRecord> {
  const record = await readRecord(store, path, jobRecordSchema);
  if (record !== null) return record;
  throw new BatchError(
    'StorageMismatch',
    `${store.uriOf(path)} is gone; run the same command again, which finds the job by its key`,
  );
}

/** A repetition asks again: the job may name files by now that it did not name when it ended. */
async function jobByNow(
  provider: BatchProvider,
  attempt: Attempt,
  input: CollectInput,
): Promise<JobSnapshot> {
  const { job, deleted } = input;
  if (deleted) return job;
  try {
    const { outputFile, errorFile, counts } = await provider.getJob(job.jobId, { signal: attempt.signal });
    return {
      ...job,
      counts,
      outputFile: outputFile ?? job.outputFile,
      errorFile: errorFile ?? job.errorFile,
    };
  } catch (error) {
    if (isNotFound(error)) return job;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof ProviderError && error.type === 'ProviderNotFound';
}

/** What the user named, which the job's errors may repeat. */
function namesOf({ model, metadata, endpoint, inputFiles }: RemoteJob): readonly string[] {
  return [...Object.values(metadata), ...inputFiles, endpoint, model ?? ''];
}

class Collection {
  readonly #deps: ActivityDeps;
  readonly #attempt: Attempt;
  readonly #provider: BatchProvider;
  readonly #input: CollectInput;
  readonly #record: JobRecord;
  readonly #folder: string;

  constructor(
    deps: ActivityDeps,
    attempt: Attempt,
    provider: BatchProvider,
    input: CollectInput,
    record: JobRecord,
  ) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#provider = provider;
    this.#input = input;
    this.#record = record;
    this.#folder = layout.round(attempt.batchId, input.shard, input.round);
  }

  /**
   * Milliseconds: what was downloaded may lack something, and is to be downloaded again after them. Its reading is added
   * to the earlier ones.
   */
  async run(scratchDir: string, readings: OutputReading[]): Promise<RoundAccountRecord | number> {
    const path = roundFile.quarantine(this.#folder);
    const quarantine = await this.#deps.store.openWriter(path, { secret: true });
    try {
      return await this.#sorted(scratchDir, quarantine, readings);
    } finally {
      await quarantine.abort();
    }
  }

  async #sorted(
    dir: string,
    quarantine: StoreWriter,
    readings: OutputReading[],
  ): Promise<RoundAccountRecord | number> {
    const { job, deleted } = this.#input;
    const lookup = await lookupOf(this.#rows());
    const reader = new OutputReader(this.#provider, this.#deps.scratchDir, this.#attempt);
    const files = deleted ? [] : await reader.open([job.outputFile, job.errorFile]);
    // Before anything is downloaded in vain.
    if (reader.gone) this.#assertGone();
    const { expectedBytes } = reader;
    const sorter = await AnswerSorter.create({ dir, lookup, rows: lookup.size, expectedBytes, quarantine });
    try {
      for (const file of files) await reader.read(file, sorter);
      if (reader.gone) this.#assertGone();
      readings.push(reader.reading());
      // How many lines a file had that is gone can't be told from the job's counts.
      const rows = reader.gone ? 0 : lookup.size;
      const again = deleted ? null : nextReadingMs(readings, { job, rows, now: this.#deps.clock.now() });
      if (again !== null) return again;
      return await this.#write(sorter, reader.gone, quarantine);
    } finally {
      await sorter.dispose();
    }
  }

  /** Answers that are called gone are lost: a file that is only slow to show is looked for again. */
  #assertGone(): void {
    const { jobId, completedAt } = this.#input.job;
    const absences = this.#attempt.absences + 1;
    const now = this.#deps.clock.now();
    const retryDelayMs = nextFileLookMs({ looks: absences, endedAt: completedAt, now });
    if (retryDelayMs === null) return;
    throw new BatchError(
      'ProviderUnavailable',
      `a result file of job ${jobId} is not there yet, or not any more; it is looked for again`,
      { retryDelayMs, absences },
    );
  }

  async #write(
    sorter: AnswerSorter,
    outputGone: boolean,
    quarantine: StoreWriter,
  ): Promise<RoundAccountRecord> {
    const { store } = this.#deps;
    const { batchId, beat } = this.#attempt;
    const { shard, round, job, deleted, deadlinePassed } = this.#input;
    const failed = await this.#failedJob();
    const errors = failed?.errors ?? [];
    const quota = failed !== null && failedForQuota(errors, namesOf(failed));
    const phase = deleted || !isTerminal(job.phase) ? 'deleted' : job.phase;
    const earlier = await EarlierAnswers.open(store, this.#folder, this.#attempt.signal);
    const answered = Math.max(sorter.answered, Number(earlier.any));
    const unanswered = unansweredRows({ phase, answered, outputGone, deadlinePassed, quota });
    const writer = await AnswerWriter.open(store, this.#folder, this.#provider, round).catch(
      async (error: unknown) => {
        await earlier.close();
        throw error;
      },
    );
    const sealed: SealedFile[] = [];
    try {
      await writer.write(this.#rows(), sorter.sorted(), { ...unanswered, jobId: job.jobId, beat, earlier });
      const { file, ...written } = await writer.seal();
      sealed.push(file);
      if (quarantine.bytes > 0) sealed.push(await quarantine.seal());
      // Held up until another attempt closed the round, this one may know less: its files would replace better ones. So
      // that is asked when all of them are on the disk, which may take long. What remains: a process that is stopped in
      // the microseconds between this look and the renames; or one that is killed as it has closed the round, after another
      // one has named other files: then the account does not hold for them, and says so.
      const standing = await readAccount(store, batchId, shard, round);
      if (standing !== null) return standing;
      for (const each of sealed) await each.publishAndKeep();
      const account = roundAccount({
        ...written,
        input: this.#input,
        record: this.#record,
        answered: writer.answered,
        unanswered,
        quota,
        errors,
        accountUri: store.uriOf(roundFile.account(this.#folder)),
      });
      const closing = await closeRound(store, batchId, account);
      // Another attempt that looked before there was an account may have named its own files since.
      if (closing === account) for (const each of sealed) await each.publish();
      return closing;
    } finally {
      await earlier.close();
      await writer.abort();
      for (const each of sealed) await each.discard();
    }
  }

  #rows(): ReturnType<typeof roundRows> {
    const { shard, round } = this.#input;
    return roundRows(this.#deps.store, this.#attempt.batchId, shard, round, this.#attempt.signal);
  }

  /** What the provider says of a job that failed as a whole; nobody else needs it, so it is asked for here. */
  async #failedJob(): Promise<RemoteJob | null> {
    const { job, deleted } = this.#input;
    if (deleted || job.phase !== 'failed') return null;
    try {
      return await this.#provider.getJob(job.jobId, { signal: this.#attempt.signal });
    } catch (error) {
      // Deleted since it ended: its answers count all the same.
      if (isNotFound(error)) return null;
      throw error;
    }
  }
}
