import { ApplicationFailure } from '@temporalio/common';
import type { ActivityDeps } from '../../activities/deps.js';
import { layout, roundFile } from '../../batch/layout.js';
import { ProviderError } from '../../providers/errors.js';
import type { BatchProvider, CreateJobRequest, RemoteJob } from '../../providers/provider.js';
import { retryWaitMs } from './retry-wait.js';
import { runActivity, textIn } from './activity-env.js';
import { BATCH, createInput, ENDPOINT, MODEL } from './activity-inputs.js';
import { memoryStore } from './memory-store.js';
import { hookedStore } from './store-hooks.js';
import { scriptedProvider } from './scripted-provider.js';

const SETTLE_MS = 120_000;
/** A POST leaves at most 30 s after its intent and ends within 60 s: what is left of the settle time is for the list. */
export const MAX_LAG_MS = 29_000;
const KEY = 'a'.repeat(64);

/** What becomes of a POST. */
export interface PostFate {
  readonly effect: 'job' | 'refused' | 'nothing';
  readonly answered: boolean;
  readonly lagMs: number;
}

interface Gate {
  readonly attempt: number;
  readonly open: () => void;
}

interface Post {
  readonly fate: PostFate;
  readonly request: CreateJobRequest;
  readonly endsAt: number;
  job: RemoteJob | null;
}

interface ListedJob {
  readonly job: RemoteJob;
  readonly visibleAt: number;
}

/**
 * Attempts of `createJob` for one round, each stopped ahead of every call that it makes to the store or the provider and
 * behind every write, on a clock that moves only when told. Whoever drives it decides who goes on, who dies, and how time passes.
 */
export class CreateWorld {
  now = 1_000_000_000_000;
  readonly jobs: ListedJob[] = [];
  readonly results: string[] = [];
  posts = 0;
  readonly #store = memoryStore();
  readonly #gates: Gate[] = [];
  readonly #underWay: Post[] = [];
  readonly #fates: PostFate[];
  #attempts = 0;

  constructor(fates: readonly PostFate[]) {
    this.#fates = [...fates];
    const zero = '0'.repeat(64);
    const plan = {
      version: 1,
      batchId: BATCH,
      fingerprint: zero,
      storeId: 'memory',
      provider: 'mistral',
      endpoint: ENDPOINT,
      model: MODEL,
      jobTimeoutMs: 86_400_000,
      input: { uri: 'file:///x', rows: 1, bytes: 1, sha256: zero },
      invalid: 0,
      sharding: { maxRows: 1, maxBytes: 1 },
      shards: [{ rows: 1, bytes: 1, sha256: zero }],
    };
    void this.#store.writeSmall(layout.plan(BATCH), JSON.stringify(plan));
  }

  get waiting(): number {
    return this.#gates.length;
  }

  /** A new attempt, up to its first call. Resolves with how it ended; one that dies never resolves. */
  start(): Promise<{ readonly nextRetryMs: number | null }> {
    const attempt = (this.#attempts += 1);
    return runActivity(this.#depsOf(attempt), 'createJob', createInput({ key: KEY })).then(
      ({ job }) => {
        this.results.push(job.jobId);
        return { nextRetryMs: null };
      },
      (error: unknown) => {
        if (!(error instanceof ApplicationFailure)) throw error;
        return { nextRetryMs: retryWaitMs(error) };
      },
    );
  }

  /**
   * The shard gives the round up for its run, and looks for a job for the last time, while attempts that it left behind
   * stay where they are. Returns the job's id, or null.
   */
  async close(): Promise<string | null> {
    for (let looks = 0; looks < 50; looks += 1) {
      const attempt = (this.#attempts += 1);
      const input = { shard: 0, round: 1, key: KEY, relist: false, closes: createInput({ key: KEY }).run };
      const end = runActivity(this.#depsOf(attempt), 'findJob', input).then(
        ({ job }) => ({ jobId: job?.jobId ?? null, nextRetryMs: null }),
        (error: unknown) => {
          if (!(error instanceof ApplicationFailure)) throw error;
          return { jobId: null, nextRetryMs: retryWaitMs(error) };
        },
      );
      await settled();
      while (await this.#step(attempt));
      const { jobId, nextRetryMs } = await end;
      if (nextRetryMs === null) return jobId;
      this.advance(nextRetryMs);
    }
    throw new Error('the last look never ended');
  }

  /** Lets an attempt go on for so many calls, of which the last one's consequences are seen too. */
  async run(place: number, calls: number): Promise<void> {
    const attempt = this.#attemptAt(place);
    for (let call = 0; call < calls; call += 1) await this.#step(attempt);
  }

  /** Lets an attempt make its next call; false when it has none to make. */
  async #step(attempt: number | undefined): Promise<boolean> {
    const index = this.#gates.findIndex((gate) => gate.attempt === attempt);
    const [gate] = index === -1 ? [] : this.#gates.splice(index, 1);
    gate?.open();
    await settled();
    return gate !== undefined;
  }

  /** The process of one attempt is gone: its calls never return. */
  kill(place: number): void {
    const attempt = this.#attemptAt(place);
    const index = this.#gates.findIndex((gate) => gate.attempt === attempt);
    if (index !== -1) this.#gates.splice(index, 1);
  }

  /** Time passes; requests under way come to their end on the way. */
  advance(ms: number): void {
    this.now += ms;
    for (const post of this.#underWay) if (post.endsAt < this.now) this.#commit(post, post.endsAt);
  }

  async recordedJob(): Promise<unknown> {
    const record: unknown = JSON.parse(await textIn(this.#store, roundFile.job(layout.round(BATCH, 0, 1))));
    return record;
  }

  /** Of the attempts that wait, from the oldest on. */
  #attemptAt(place: number): number | undefined {
    const attempts = this.#gates.map(({ attempt }) => attempt).toSorted((a, b) => a - b);
    return attempts[place % Math.max(1, attempts.length)];
  }

  #depsOf(attempt: number): ActivityDeps {
    const stop = () => new Promise<void>((open) => this.#gates.push({ attempt, open }));
    return {
      store: hookedStore(this.#store, stop, stop),
      provider: () => this.#providerOf(stop),
      clock: { now: () => this.now },
      scratchDir: '/nowhere',
      fileRoots: () => Promise.resolve([]),
      createSettleMs: SETTLE_MS,
      cancelWaitMs: 0,
    };
  }

  #providerOf(stop: () => Promise<void>): BatchProvider {
    const visible = () => this.jobs.filter(({ visibleAt }) => visibleAt <= this.now);
    return scriptedProvider({
      listJobs: async function* () {
        await stop();
        yield* visible().map(({ job }) => job);
      },
      getJob: async (id) => {
        await stop();
        const found = this.jobs.find(({ job }) => job.id === id);
        if (found !== undefined) return found.job;
        throw new ProviderError('ProviderNotFound', 'get job: 404', { effect: 'refused', status: 404 });
      },
      createJob: async (request, { timeoutMs = 0 }) => {
        this.posts += 1;
        const fate = this.#fates.shift() ?? { effect: 'job', answered: true, lagMs: 0 };
        const post: Post = { fate, request, endsAt: this.now + timeoutMs, job: null };
        this.#underWay.push(post);
        await stop();
        this.#commit(post, Math.min(this.now, post.endsAt));
        if (fate.effect === 'refused' && this.now <= post.endsAt) {
          throw new ProviderError('ProviderRateLimited', 'create job: 429', {
            effect: 'refused',
            status: 429,
          });
        }
        if (post.job !== null && fate.answered && this.now <= post.endsAt) return post.job;
        throw new ProviderError('ProviderAmbiguous', 'create job: no answer', { effect: 'unknown' });
      },
    });
  }

  #commit(post: Post, at: number): void {
    const place = this.#underWay.indexOf(post);
    if (place === -1) return;
    this.#underWay.splice(place, 1);
    if (post.fate.effect !== 'job') return;
    const id = `job-${this.jobs.length + 1}`;
    post.job = remoteJob(id, at, post.request);
    this.jobs.push({ job: post.job, visibleAt: at + post.fate.lagMs });
  }
}

export function remoteJob(
  id: string,
  createdAt: number,
  { fileId, metadata }: Pick<CreateJobRequest, 'fileId' | 'metadata'>,
): RemoteJob {
  return {
    id,
    phase: 'pending',
    status: 'QUEUED',
    createdAt,
    completedAt: null,
    counts: { total: 0, completed: 0, succeeded: 0, failed: 0 },
    outputFile: null,
    errorFile: null,
    inputFiles: [fileId],
    endpoint: ENDPOINT,
    model: MODEL,
    metadata,
    errors: [],
  };
}

/** All that follows without a further call has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
