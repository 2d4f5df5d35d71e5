import type { FailureType } from '../batch/failure-types.js';
import { isFailureType, remedyOf } from '../batch/failure-types.js';

/** Failures that only a client meets: nothing of a batch is lost by any of them. */
export const CLIENT_FAILURES = {
  UnknownBatch: {
    meaning: 'Neither the store nor Temporal knows the batch.',
    remedy:
      'Check the id with `longhaul list`, and that store and Temporal are the ones it was started with.',
  },
  NotFinished: {
    meaning: 'The batch has no results yet.',
    remedy: 'Wait for its end with `longhaul wait <batch id>`.',
  },
  NoResults: {
    meaning: 'The batch has ended, and the store has no results of it.',
    remedy:
      'See why with `longhaul status <batch id>`. The same command again sends the rows that the store has no answer for.',
  },
  BatchTerminated: {
    meaning: 'The workflow was terminated in Temporal, so nobody assembled its results.',
    remedy: 'Run the same command again: every job and answer that is there is used.',
  },
  UnknownSchedule: {
    meaning: 'Temporal knows no schedule of that name.',
    remedy: 'Check the name with `longhaul schedule list`.',
  },
  ScheduleExists: {
    meaning: 'There is a schedule of that name.',
    remedy: 'Use `longhaul schedule apply` to change it, or another name.',
  },
  NotTriggered: {
    meaning: 'Temporal does not show a batch that the trigger has started.',
    remedy:
      'See what was started with `longhaul schedule describe <schedule id>`; trigger it again if nothing was.',
  },
  NotSetUp: {
    meaning: 'Search attributes of Longhaul are not registered in the namespace; batches would hang.',
    remedy: 'Run `longhaul setup` once.',
  },
  NoWorker: {
    meaning: 'No worker answers.',
    remedy: 'Start one with `longhaul worker`, then try again.',
  },
  CodecKeyMissing: {
    meaning: 'Temporal holds data that is encrypted with a key which this process was not given.',
    remedy:
      'Give every worker, client and command the key in LONGHAUL_CODEC_KEYS or LONGHAUL_CODEC_KEYS_FILE; old keys stay until no workflow that used them is kept.',
  },
  CodecKeyWrong: {
    meaning: 'Data in Temporal does not open with the key that has its id here.',
    remedy: 'Give this process the key that the id stood for when it was used; a new key takes a new id.',
  },
  TemporalUnavailable: {
    meaning: 'Temporal could not be reached.',
    remedy: 'Check that the server runs and that TEMPORAL_ADDRESS or temporal.toml names it.',
  },
  TemporalRefused: {
    meaning: 'Temporal refused the call.',
    remedy: 'Check namespace, API key and certificates in TEMPORAL_* or temporal.toml.',
  },
} as const satisfies Record<string, { readonly meaning: string; readonly remedy: string }>;

export type ClientFailureType = keyof typeof CLIENT_FAILURES;

export type LonghaulErrorType = FailureType | ClientFailureType;

/** What every method of the client throws. The message says what happened, `remedy` what to do. */
export class LonghaulError extends Error {
  override readonly name = 'LonghaulError';
  readonly type: LonghaulErrorType;
  readonly remedy: string;

  /** `ended`: a batch has come to its end by it, so that nothing is tried again. */
  constructor(
    type: LonghaulErrorType,
    message: string,
    { ended = false, ...options }: { cause?: unknown; ended?: boolean } = {},
  ) {
    super(message, options);
    this.type = type;
    this.remedy = isFailureType(type)
      ? remedyOf(type, ended ? 'ended' : 'open')
      : CLIENT_FAILURES[type].remedy;
  }
}
