import type { ConnectionLike, WorkflowExecutionStatusName } from '@temporalio/client';
import type { CancelMode } from '../batch/control.js';
import type { Manifest } from '../batch/manifest.js';
import type { Outcome } from '../batch/outcome.js';
import type { BatchPhase, BatchProgress } from '../batch/progress.js';
import type { SearchAttributeName } from '../batch/wire-names.js';
import type { ErrorLine, ResultLine } from '../schemas/result-line.js';
import type { RunBatchInput } from '../schemas/run-batch-input.js';
import type { Trouble } from './trouble.js';

export type { Trouble } from './trouble.js';

/** Nothing is connected until a call needs Temporal. */
export interface ConnectOptions {
  /** `host:port` of Temporal's frontend. Left out: `TEMPORAL_*` and `temporal.toml`, then `<home>/server.json`. */
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  /** Profile in `temporal.toml`. */
  readonly profile?: string | undefined;
  /** Where `TEMPORAL_*` are read, for who has taken secrets out of the process's environment. Default: there. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Folder of an embedded server, `LONGHAUL_HOME`. Default `.longhaul`. */
  readonly home?: string | undefined;
  /**
   * URI or absolute path of the store, the same one that the workers have. Default: what the home of an embedded
   * server is bound to, else `<home>/store`.
   */
  readonly store?: string | undefined;
  /**
   * The provider's base URL, the same one that the workers have. Default: what the home of an embedded server is bound
   * to, else `https://api.mistral.ai`.
   */
  readonly baseUrl?: string | undefined;
  /** A connection of the caller's, who also closes it; `address` and configuration are not looked at. */
  readonly connection?: ConnectionLike | undefined;
  /**
   * Keys for payloads in Temporal, the same ones that the workers have, as `LONGHAUL_CODEC_KEYS` is written:
   * `id:base64,…`. The first encrypts, all decrypt. Left out, nothing is encrypted.
   */
  readonly codecKeys?: string | undefined;
  /** Who asks, for Temporal's histories. */
  readonly identity?: string | undefined;
  /** Base URL of Temporal's UI, for `workflowUrl`. Default: what `<home>/server.json` says. */
  readonly uiUrl?: string | undefined;
}

type Settings = Omit<RunBatchInput, 'input'>;

/** As `RunBatchInput` documents them; durations are texts such as `24h`, sizes numbers or texts such as `256MB`. */
export type BatchOptions = { readonly [K in keyof Settings]: Settings[K] | undefined } & Pick<
  Settings,
  'endpoint' | 'model'
> & {
    /** A local path or a URI; workers must be able to read it. */
    readonly input: string;
  };

export type StartOptions = BatchOptions & {
  /** Default: the input's base name and the first 12 hex digits of the fingerprint. */
  readonly id?: string | undefined;
  /** Stands for the input's base name in the default id. */
  readonly inputName?: string | undefined;
  /** Copies a local input into the store first, for workers on other machines. */
  readonly stageInput?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

export interface ProgressOptions {
  /** Milliseconds between two states, at least. Default 1000. */
  readonly intervalMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ControlOptions {
  /**
   * Waits, at most 10 seconds, until a worker has accepted the request. `InvalidInput` when the batch refuses it;
   * `NoWorker` when none answers: then it is carried out later or lost. Left out, Temporal keeps the request safe and
   * it is carried out when a worker is there.
   */
  readonly acknowledge?: boolean | undefined;
}

export interface CancelOptions extends ControlOptions {
  /** `keep`, the default: what was answered until then is collected. */
  readonly mode?: CancelMode | undefined;
  readonly reason?: string | undefined;
  /** Returns when the batch has closed. */
  readonly wait?: boolean | undefined;
}

/** A batch that is running, or was. Every method throws `LonghaulError`. */
export interface BatchHandle {
  readonly batchId: string;
  /** Whether it was there already: running, or finished. Its settings may then be others than those asked for. */
  readonly attached: boolean;
  /** Page of the workflow in Temporal's UI, when its address is known. */
  readonly workflowUrl: string | null;
  readonly resultsUri: string;
  readonly errorsUri: string;
  /** States until the batch has closed, the first at once; the last one has the phase `done`. */
  progress(options?: ProgressOptions): AsyncIterable<BatchProgress>;
  /** The manifest, or live numbers in its shape with `outcome: null`. */
  status(): Promise<Manifest>;
  /** What of an open batch failed and is being tried again, or null. Needs no worker. */
  trouble(options?: WaitOptions): Promise<Trouble | null>;
  /**
   * Waits until the batch has closed. A batch that failed with a manifest returns it; one that ended without one
   * throws its failure: `InvalidInput`, `FingerprintMismatch`, `BatchTerminated` and so on.
   */
  result(options?: WaitOptions): Promise<Manifest>;
  /** False: the batch had closed already, nothing changed. So for the next three. */
  cancel(options?: CancelOptions): Promise<boolean>;
  pause(options?: ControlOptions): Promise<boolean>;
  resume(options?: ControlOptions): Promise<boolean>;
  pollNow(options?: ControlOptions): Promise<boolean>;
  /** One line per row, in input order. */
  results(): AsyncIterable<ResultLine>;
  /** The lines with an error. */
  errors(): AsyncIterable<ErrorLine>;
  /** `results.jsonl` as it lies in the store. */
  resultBytes(): AsyncIterable<Uint8Array>;
  errorBytes(): AsyncIterable<Uint8Array>;
}

export interface ListOptions {
  readonly phase?: BatchPhase | undefined;
  readonly outcome?: Outcome | undefined;
  readonly limit?: number | undefined;
}

/** The newest run of a batch as Temporal's visibility knows it; null for what it doesn't say. */
export interface BatchListEntry {
  readonly batchId: string;
  readonly status: WorkflowExecutionStatusName;
  readonly phase: BatchPhase | null;
  readonly outcome: Outcome | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly rows: number | null;
  readonly rowsFailed: number | null;
  readonly startedAt: string;
  readonly closedAt: string | null;
}

export const OVERLAP_POLICIES = [
  'skip',
  'buffer-one',
  'buffer-all',
  'cancel-other',
  'terminate-other',
  'allow-all',
] as const;

/** What happens when the last batch of a schedule still runs. */
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

export type ScheduleOptions = BatchOptions & {
  /** Five fields, or `@daily` and the like. Either this or `every`. */
  readonly cron?: string | undefined;
  /** A duration in whole seconds, such as `1h`. */
  readonly every?: string | undefined;
  /** IANA name such as `Europe/Paris`. Default UTC. */
  readonly timezone?: string | undefined;
  /** Default `buffer-one`. */
  readonly overlap?: OverlapPolicy | undefined;
  readonly note?: string | undefined;
};

export interface ScheduleEntry {
  readonly scheduleId: string;
  /** As it was given; null for a schedule with `every`, or made by other tools. */
  readonly cron: string | null;
  readonly every: string | null;
  readonly paused: boolean;
  readonly note: string | null;
  /** ISO 8601 UTC, the next few; none while it is paused. */
  readonly nextTimes: readonly string[];
  /** The last few batches, newest last. */
  readonly recentBatches: readonly { readonly batchId: string; readonly scheduledAt: string }[];
}

export interface ScheduleDetails extends ScheduleEntry {
  readonly overlap: OverlapPolicy;
  readonly timezone: string;
  /** The input of each of its batches; null when it is not one that Longhaul wrote. */
  readonly input: RunBatchInput | null;
  readonly runningBatches: readonly string[];
  readonly createdAt: string;
}

export interface BackfillOptions {
  /** All times of the schedule from `start` to `end` are run now. */
  readonly start: Date;
  readonly end: Date;
  /** Default `buffer-all`: one after the other. */
  readonly overlap?: OverlapPolicy | undefined;
}

/** Batches at set times. The id of each is `<schedule id>-<time, 2026-11-22T12:00:00Z>`, its input is read anew. */
export interface Schedules {
  create(scheduleId: string, options: ScheduleOptions): Promise<void>;
  /** Creates it or makes it as given; keeps whether it is paused. */
  apply(scheduleId: string, options: ScheduleOptions): Promise<'created' | 'updated'>;
  list(): AsyncIterable<ScheduleEntry>;
  describe(scheduleId: string): Promise<ScheduleDetails>;
  pause(scheduleId: string, note?: string): Promise<void>;
  resume(scheduleId: string, note?: string): Promise<void>;
  /**
   * Runs it once now, beside what runs, and returns the id of the batch. Triggers within one second are started one
   * second after the other. Throws `NotTriggered` when nothing is known to have been started by it.
   */
  trigger(scheduleId: string): Promise<string>;
  backfill(scheduleId: string, options: BackfillOptions): Promise<void>;
  /** Batches that it started go on. */
  delete(scheduleId: string): Promise<void>;
}

/** A version of a worker deployment. @see docs/versioning.md */
export interface WorkerVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** Processes that asked for work within the last minute or so and may get some, by task queue. */
export interface WorkerCount {
  readonly workflows: number;
  readonly provider: number;
  readonly transfer: number;
  /** Versions of workers that ask for work and get none, since another version is current; null: workers without a version. */
  readonly passedOver: readonly (WorkerVersion | null)[];
}

export interface LonghaulClient {
  readonly schedules: Schedules;
  /** Namespace of Temporal. */
  readonly namespace: string;
  readonly storeUri: string;
  /**
   * Starts a batch, attaches to the one that runs under its id, or finds it finished: then neither Temporal nor the
   * provider is asked. Throws `FingerprintMismatch` when the id belongs to another batch.
   */
  start(options: StartOptions): Promise<BatchHandle>;
  /** Throws `UnknownBatch` when neither the store nor Temporal knows the id. */
  attach(batchId: string): Promise<BatchHandle>;
  /** One entry per batch: first the open ones, then those that ended, latest first. */
  list(options?: ListOptions): AsyncIterable<BatchListEntry>;
  /** Registers the search attributes that are missing, and returns them. */
  setup(): Promise<readonly SearchAttributeName[]>;
  missingSearchAttributes(): Promise<readonly SearchAttributeName[]>;
  workerCount(): Promise<WorkerCount>;
  /** Whether each task queue has a worker that may get its tasks. */
  hasWorkers(): Promise<boolean>;
  /** Asks Temporal for a sign of life. Throws `TemporalUnavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
