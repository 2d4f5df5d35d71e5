/** Package entry `.`: what a backend service imports. */
export { Longhaul } from './longhaul.js';
export { CLIENT_FAILURES, LonghaulError } from './failures.js';
export type { ClientFailureType, LonghaulErrorType } from './failures.js';
export { createPayloadCodec } from './payload-codec.js';
export { OVERLAP_POLICIES } from './types.js';
export type {
  BackfillOptions,
  BatchHandle,
  BatchListEntry,
  BatchOptions,
  CancelOptions,
  ConnectOptions,
  ControlOptions,
  ListOptions,
  LonghaulClient,
  OverlapPolicy,
  ProgressOptions,
  ScheduleDetails,
  ScheduleEntry,
  ScheduleOptions,
  Schedules,
  StartOptions,
  Trouble,
  WaitOptions,
  WorkerCount,
  WorkerVersion,
} from './types.js';
export { FAILURE_TYPES } from '../batch/failure-types.js';
export type { Failure, FailureType } from '../batch/failure-types.js';
export type { JobAccount } from '../batch/account.js';
export type { FileReference, Manifest } from '../batch/manifest.js';
export type { Outcome } from '../batch/outcome.js';
export type { BatchPhase, BatchProgress, JobProgress } from '../batch/progress.js';
export type { ErrorLine, ResultLine } from '../schemas/result-line.js';
export type { RunBatchInput } from '../schemas/run-batch-input.js';
