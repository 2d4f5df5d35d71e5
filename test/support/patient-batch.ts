import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities, ActivityName, OpenRound } from '../../activities/contract.js';
import { layout } from '../../batch/layout.js';
import { isTerminal } from '../../batch/job-phase.js';
import type { JobSnapshot } from '../../batch/job-snapshot.js';
import { retryWaitMs } from './retry-wait.js';
import type { Bench } from './activity-env.js';
import { BATCH, assembleInput, beginInput, collectInput, createInput } from './activity-inputs.js';

type Input<A extends ActivityName> = Parameters<Activities[A]>[0];

/** Far more than any of these tests needs: a loop without an end would tell nothing. */
const MOST_ATTEMPTS = 400;

/** Runs a batch's activities as its workflows would, each again and again while its failure may be retried. */
export class PatientBatch {
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** All shards, round by round, to the results; returns their text. The job of shard `cancelled` is cancelled. */
  async run(shards: number, cancelled: number | null = null): Promise<string> {
    await this.#call('checkAccount', {});
    for (let shard = 0; shard < shards; shard += 1) {
      const cancels = shard === cancelled;
      for (let round = 1; await this.#round(shard, round, cancels); round += 1);
    }
    await this.#call('assemble', assembleInput());
    return this.#bench.text(layout.results(BATCH));
  }

  /** Deletes the batch's files at the provider; twice, as a next run would. */
  async cleanUp(): Promise<void> {
    for (let n = 0; n < 2; n += 1) await this.#call('cleanup', { cleanup: 'all' });
  }

  /** Whether there was such a round. */
  async #round(shard: number, round: number, cancels: boolean): Promise<boolean> {
    const mode = { kind: 'normal', rebuyLost: false, finalFrom: 1 } as const;
    const open = await this.#call('beginRound', beginInput({ shard, round, mode }));
    if (open.kind !== 'open') return false;
    const submitted = await this.#submit(shard, round, open);
    // A shard asks again at its next look.
    for (let n = 0; cancels && n < 2; n += 1) await this.#call('cancelJob', { jobId: submitted.jobId });
    const job = await this.#ended(submitted);
    await this.#call('findJob', { shard, round, key: open.key, relist: true });
    await this.#call('collect', collectInput(open, job, { shard, round }));
    return true;
  }

  async #submit(shard: number, round: number, open: OpenRound): Promise<JobSnapshot> {
    const { key, path, bytes, sha256, rows } = open;
    const found = await this.#call('findJob', { shard, round, key, relist: false });
    if (found.job !== null) return found.job;
    const { fileId } = await this.#call('upload', { key, path, bytes, sha256, rows });
    return (await this.#call('createJob', createInput({ shard, round, key, fileId }))).job;
  }

  async #ended(created: JobSnapshot): Promise<JobSnapshot> {
    const { jobId } = created;
    this.#bench.clock.advance(3_600_000);
    for (let job = created; !isTerminal(job.phase);) {
      // The emulator answers rows in the background, in real time.
      await sleep(2);
      job = await this.#call('getJob', { jobId }).catch((error: unknown) => {
        // A new job may take a while to show.
        if (error instanceof ApplicationFailure && error.type === 'ProviderNotFound') return job;
        throw error;
      });
      if (isTerminal(job.phase)) return job;
    }
    return created;
  }

  async #call<A extends ActivityName>(name: A, input: Input<A>): Promise<Awaited<ReturnType<Activities[A]>>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#bench.run(name, input, { attempt });
      } catch (error) {
        if (!(error instanceof ApplicationFailure) || error.nonRetryable === true) throw error;
        if (attempt === MOST_ATTEMPTS) throw new Error(`${name} never ends`, { cause: error });
        this.#bench.clock.advance(retryWaitMs(error));
      }
    }
  }
}
