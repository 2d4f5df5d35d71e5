import type { PollPolicy } from './poll-interval.js';

export const DEFAULTS = {
  provider: 'mistral',
  jobTimeoutMs: 24 * 3_600_000,
  /** The batch's own deadline, as a multiple of the job timeout. */
  deadlineFactor: 1.5,
  maxRounds: 3,
  maxJobs: 4,
  poll: { minMs: 5_000, maxMs: 600_000 },
  createSettleMs: 120_000,
  cancelWaitMs: 900_000,
} as const;

export type CleanupMode = 'none' | 'input' | 'all';

/**
 * The settings of one run in numbers, as `prepare` returns them. Those of the worker's environment
 * (`cancelWaitMs`) come along, so that workflow code never has to ask a machine.
 */
export interface BatchSettings {
  readonly provider: string;
  readonly endpoint: string;
  readonly model: string;
  readonly jobTimeoutHours: number;
  /** Counted from the start of the batch's workflow. */
  readonly deadlineMs: number;
  readonly maxRounds: number;
  /** Shards, and so jobs, that run at the same time. */
  readonly maxJobs: number;
  readonly poll: PollPolicy;
  readonly metadata: Readonly<Record<string, string>>;
  readonly cleanup: CleanupMode;
  readonly retry: boolean;
  readonly rebuyLost: boolean;
  /** How long a cancelled job's end is awaited. */
  readonly cancelWaitMs: number;
  /** How long after an unanswered create its job may still appear in the provider's list. */
  readonly createSettleMs: number;
  /** Tests only: a shard continues as new at this many history events. */
  readonly maxHistory: number | null;
}
