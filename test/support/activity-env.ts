import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { onTestFinished } from 'vitest';
import type {
  Activities,
  ActivityName,
  BeginRoundInput,
  OpenRound,
  PrepareResult,
} from '../../activities/contract.js';
import { createActivities } from '../../activities/create-activities.js';
import type { ActivityDeps } from '../../activities/deps.js';
import type { FailureType } from '../../batch/failure-types.js';
import { isTerminal } from '../../batch/job-phase.js';
import type { JobSnapshot } from '../../batch/job-snapshot.js';
import { startEmulator } from '../../emulator/index.js';
import type { EmulatorOptions } from '../../emulator/index.js';
import type { BatchProvider } from '../../providers/provider.js';
import { createProvider } from '../../providers/registry.js';
import { openFileStore } from '../../storage/file.js';
import type { Store } from '../../storage/store.js';
import {
  API_KEY,
  BATCH,
  ENDPOINT,
  MODEL,
  assembleInput,
  beginInput,
  collectInput,
  createInput,
  jsonLines,
  wire,
  wiresIn,
} from './activity-inputs.js';
import type { Wire } from './activity-inputs.js';

const SETTLE_MS = 120_000;
/** Failing attempts are what many tests are about. */
const QUIET = new DefaultLogger('ERROR');

/** A clock that stands until it is moved, for activities and the emulator alike. */
export class TestClock {
  #now = Date.UTC(2026, 10, 22, 12);

  readonly now = (): number => this.#now;

  advance(ms: number): void {
    this.#now += ms;
  }
}

type Input<A extends ActivityName> = Parameters<Activities[A]>[0];
type Output<A extends ActivityName> = Awaited<ReturnType<Activities[A]>>;
type Runs = { readonly [A in ActivityName]: (input: Input<A>) => Promise<Output<A>> };

export interface RunInfo {
  readonly workflowId?: string;
  readonly attempt?: number;
  /** What each attempt before it failed as. */
  readonly failedAs?: FailureType;
  /** How many of them have not found a result file. */
  readonly absences?: number;
  /** The last heartbeat of the attempt before, in place of all these. */
  readonly details?: unknown;
  readonly startToCloseTimeoutMs?: number;
}

/** One attempt of an activity that can be told to stop. */
export function attemptOf(run: RunInfo = {}): MockActivityEnvironment {
  const { workflowId = BATCH, failedAs = 'IntegrityMismatch', absences = 0, details, ...info } = run;
  const { attempt = 1 } = info;
  const heartbeatDetails =
    attempt === 1 || details !== undefined
      ? details
      : { progress: null, streak: { type: failedAs, attempts: attempt - 1 }, absences };
  const runId = '11111111-1111-4111-8111-111111111111';
  return new MockActivityEnvironment(
    { startToCloseTimeoutMs: 300_000, heartbeatDetails, ...info, workflowExecution: { workflowId, runId } },
    { logger: QUIET },
  );
}

/** Runs an activity once, as a worker would. */
export async function runActivity<A extends ActivityName>(
  deps: ActivityDeps,
  name: A,
  input: Input<A>,
  environment: MockActivityEnvironment = attemptOf(),
): Promise<Output<A>> {
  const runs: Runs = createActivities(deps);
  const run: Runs[A] = runs[name];
  return environment.run<[], Output<A>, () => Promise<Output<A>>>(() => run(input));
}

/** The failure of a promise that must fail as one of the registry's types. */
export async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const result = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in result)) throw new Error(`it succeeded: ${JSON.stringify(result.value)}`);
  if (result.error instanceof ApplicationFailure) return result.error;
  throw new Error('it failed otherwise', { cause: result.error });
}

/** A temporary folder that is gone after the test. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'longhaul-activity-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export interface BenchOptions {
  readonly emulator?: EmulatorOptions;
  readonly deps?: Partial<ActivityDeps>;
  readonly settleMs?: number;
}

/** A store in a temporary folder, the real client, and the emulator behind it. */
export class Bench {
  readonly dir: string;
  readonly store: Store;
  readonly clock: TestClock;
  readonly provider: BatchProvider;
  readonly deps: ActivityDeps;
  readonly url: string;

  static async start(options: BenchOptions = {}): Promise<Bench> {
    const dir = await tempDir();
    const clock = new TestClock();
    const emulator = await startEmulator({ now: clock.now, dataDir: dir, ...options.emulator });
    const provider = createProvider('mistral', {
      mistral: { apiKey: API_KEY, baseUrl: emulator.url },
      requestsPerSecond: null,
    });
    onTestFinished(async () => {
      await provider.close();
      await emulator.close();
    });
    return new Bench(dir, clock, provider, emulator.url, options);
  }

  private constructor(
    dir: string,
    clock: TestClock,
    provider: BatchProvider,
    url: string,
    options: BenchOptions,
  ) {
    this.dir = dir;
    this.clock = clock;
    this.provider = provider;
    this.url = url;
    this.store = openFileStore(join(dir, 'store'));
    this.deps = {
      store: this.store,
      provider: () => this.provider,
      clock,
      scratchDir: join(dir, 'scratch'),
      fileRoots: () => Promise.resolve([dir]),
      createSettleMs: options.settleMs ?? SETTLE_MS,
      cancelWaitMs: 900_000,
      ...options.deps,
    };
  }

  with(deps: Partial<ActivityDeps>): ActivityDeps {
    return { ...this.deps, ...deps };
  }

  /** Writes an input; returns its URI. */
  async input(content: string | Uint8Array, name = 'input.jsonl'): Promise<string> {
    const path = join(this.dir, name);
    await writeFile(path, content);
    return pathToFileURL(path).href;
  }

  run<A extends ActivityName>(name: A, input: Input<A>, info?: RunInfo): Promise<Output<A>> {
    return runActivity(this.deps, name, input, attemptOf(info));
  }

  async prepare(
    content: string | Uint8Array,
    more: Wire = {},
  ): Promise<Extract<PrepareResult, { kind: 'prepared' }>> {
    const result = await this.prepareUri(await this.input(content), more);
    if (result.kind !== 'prepared') throw new Error('the batch is finished');
    return result;
  }

  prepareUri(uri: string, more: Wire = {}): Promise<PrepareResult> {
    return this.run('prepare', { input: { uri }, endpoint: ENDPOINT, model: MODEL, ...more });
  }

  async begin(input: Partial<BeginRoundInput> = {}): Promise<OpenRound> {
    const result = await this.run('beginRound', beginInput(input));
    if (result.kind !== 'open') throw new Error(`the round is ${result.kind}`);
    return result;
  }

  async upload(open: OpenRound): Promise<string> {
    const { key, path, bytes, sha256, rows } = open;
    return (await this.run('upload', { key, path, bytes, sha256, rows })).fileId;
  }

  /** Begins a round and gets its job to exist. */
  async submit(input: Partial<BeginRoundInput> = {}): Promise<{ open: OpenRound; job: JobSnapshot }> {
    const open = await this.begin(input);
    const { shard, round } = beginInput(input);
    const create = createInput({ shard, round, key: open.key, fileId: await this.upload(open) });
    return { open, job: (await this.run('createJob', create)).job };
  }

  /** Moves the clock until the job has ended. */
  async ended(jobId: string): Promise<JobSnapshot> {
    this.clock.advance(3_600_000);
    for (;;) {
      const job = await this.run('getJob', { jobId });
      if (isTerminal(job.phase)) return job;
      // The emulator answers rows in the background, in real time.
      await sleep(2);
    }
  }

  /** A whole round: begun, run, collected. */
  async round(input: Partial<BeginRoundInput> = {}, collect: Partial<Input<'collect'>> = {}) {
    const { open, job } = await this.submit(input);
    const { shard, round } = beginInput(input);
    const ended = await this.ended(job.jobId);
    const sums = await this.run('collect', collectInput(open, ended, { shard, round, ...collect }));
    return { open, job: ended, sums };
  }

  async assemble(input: Partial<Input<'assemble'>> = {}): Promise<Output<'assemble'>['summary']> {
    return (await this.run('assemble', assembleInput(input))).summary;
  }

  async setFaults(...rules: readonly Wire[]): Promise<void> {
    const answer = await fetch(`${this.url}/_emulator/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rules }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.url}/_emulator/faults`, { method: 'DELETE' });
  }

  /** Requests that reached the emulator, of one route or all. */
  async requests(route?: string): Promise<readonly Wire[]> {
    const query = route === undefined ? '' : `?route=${route}`;
    const answer: unknown = await (await fetch(`${this.url}/_emulator/journal${query}`)).json();
    return wiresIn(answer, 'requests');
  }

  /** Jobs that the emulator accepted. */
  async jobs(): Promise<readonly Wire[]> {
    const answer: unknown = await (await fetch(`${this.url}/_emulator/jobs`)).json();
    return wiresIn(answer, 'jobs');
  }

  async text(path: string): Promise<string> {
    return textIn(this.store, path);
  }

  async json(path: string): Promise<Wire> {
    return wire(JSON.parse(await this.text(path)));
  }

  async lines(path: string): Promise<readonly Wire[]> {
    return jsonLines(await this.text(path));
  }

  /** Paths in the batch's folder, unfinished files left out. */
  async files(batchId = BATCH): Promise<readonly string[]> {
    const paths: string[] = [];
    for await (const { path } of this.store.list(batchId)) paths.push(path.slice(batchId.length + 1));
    return paths;
  }
}

export async function textIn(store: Store, path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
