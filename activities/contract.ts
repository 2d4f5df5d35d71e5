import type { OpenJob, RoundSums } from '../batch/account.js';
import type { Failure } from '../batch/failure-types.js';
import type { JobSnapshot } from '../batch/job-snapshot.js';
import type { BatchSummary } from '../batch/manifest.js';
import type { RoundMode } from '../batch/round-selection.js';
import type { RowCounts, RowErrorType } from '../batch/rows.js';
import type { BatchSettings, CleanupMode } from '../batch/settings.js';

/*
 * What goes in and out of the activities, and so into Temporal's history: references, counts and hashes.
 * The batch id is never among it; activities take it from their workflow's id.
 */

export interface PreparedBatch {
  readonly kind: 'prepared';
  readonly generation: number;
  readonly planSha256: string;
  readonly fingerprint: string;
  readonly shards: number;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly invalid: number;
  /** An earlier run left a plan, and maybe jobs. */
  readonly resumed: boolean;
  readonly settings: BatchSettings;
}

export type PrepareResult =
  PreparedBatch | { readonly kind: 'finished'; readonly fingerprint: string; readonly summary: BatchSummary };

export interface FindPlanResult {
  /** Null: no earlier run has left a batch of these settings unfinished. */
  readonly plan: PreparedBatch | null;
}

export interface BeginRoundInput {
  readonly shard: number;
  readonly round: number;
  readonly mode: RoundMode;
  /** False: an existing round is returned, a new one is not begun. */
  readonly mayBegin: boolean;
}

export type BeginRoundResult =
  | { readonly kind: 'closed'; readonly sums: RoundSums; readonly key: string }
  | {
      readonly kind: 'open';
      readonly path: string;
      readonly rows: number;
      readonly bytes: number;
      readonly sha256: string;
      readonly key: string;
      /** What the round's rows counted as before it. */
      readonly takes: RowCounts;
      /** False: no create of the round can have made a job. Left out by older versions, which did not tell. */
      readonly mayHaveJob?: boolean;
    }
  | { readonly kind: 'none' };

export type OpenRound = Extract<BeginRoundResult, { kind: 'open' }>;

export interface FindJobInput {
  readonly shard: number;
  readonly round: number;
  readonly key: string;
  /** List again although the round's job is recorded, to see duplicates. */
  readonly relist: boolean;
  /** The run that will create no job in this round any more: attempts that it left behind are kept from sending. */
  readonly closes?: string;
  /** The recorded job, cancelled by others or deleted: another job with the key takes its place, if one is left. */
  readonly lost?: string;
}

export interface FindJobResult {
  readonly job: JobSnapshot | null;
  readonly duplicates: readonly JobSnapshot[];
}

export interface UploadInput {
  readonly key: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
}

export interface UploadResult {
  readonly fileId: string;
}

export interface CreateJobInput {
  readonly shard: number;
  readonly round: number;
  readonly key: string;
  readonly fileId: string;
  readonly endpoint: string;
  readonly model: string;
  readonly jobTimeoutHours: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly run: string;
}

export interface CreateJobResult {
  readonly job: JobSnapshot;
  readonly duplicates: readonly JobSnapshot[];
}

export interface JobInput {
  readonly jobId: string;
}

export interface CollectInput {
  readonly shard: number;
  readonly round: number;
  readonly job: JobSnapshot;
  /** The provider does not know the job any more. */
  readonly deleted: boolean;
  readonly deadlinePassed: boolean;
  readonly takes: RowCounts;
  readonly duplicates: readonly DuplicateJob[];
}

/** A second job with the round's key, as the manifest lists it. */
export type DuplicateJob = Pick<OpenJob, 'jobId' | 'status' | 'createdAt' | 'requests'>;

export interface CollectResult extends RoundSums {
  /** The job failed for want of quota, as its own errors say. */
  readonly quota: boolean;
}

export interface AssembleInput {
  /** Null: the batch was cancelled before it was prepared. */
  readonly generation: number | null;
  readonly startedAt: string;
  readonly inputUri: string;
  readonly cancelled: boolean;
  readonly failure: Failure | null;
  /** The shards' own sums, and whether they speak of every row that was sent. */
  readonly counted: RowCounts;
  readonly whole: boolean;
  /** What becomes of rows that no closed round speaks of: in general, and in single shards. */
  readonly unanswered: RowErrorType;
  readonly unansweredShards: readonly { readonly error: RowErrorType; readonly shards: readonly number[] }[];
  readonly openJobs: readonly OpenJob[];
  readonly duplicates: readonly OpenJob[];
}

export interface AssembleResult {
  readonly summary: BatchSummary;
}

export interface CleanupInput {
  readonly cleanup: CleanupMode;
}

export interface Activities {
  readonly prepare: (input: unknown) => Promise<PrepareResult>;
  readonly findPlan: (input: unknown) => Promise<FindPlanResult>;
  readonly checkAccount: (input: Record<string, never>) => Promise<Record<string, never>>;
  readonly beginRound: (input: BeginRoundInput) => Promise<BeginRoundResult>;
  readonly findJob: (input: FindJobInput) => Promise<FindJobResult>;
  readonly upload: (input: UploadInput) => Promise<UploadResult>;
  readonly createJob: (input: CreateJobInput) => Promise<CreateJobResult>;
  readonly getJob: (input: JobInput) => Promise<JobSnapshot>;
  readonly cancelJob: (input: JobInput) => Promise<JobSnapshot>;
  readonly collect: (input: CollectInput) => Promise<CollectResult>;
  readonly assemble: (input: AssembleInput) => Promise<AssembleResult>;
  readonly cleanup: (input: CleanupInput) => Promise<Record<string, never>>;
}

export type ActivityName = keyof Activities;
