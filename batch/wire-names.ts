/**
 * Names that other processes, other versions and other languages rely on.
 * Renaming one strands every open workflow, so they are never renamed once released (a snapshot test holds them).
 */

export const TASK_QUEUES = {
  workflows: 'longhaul',
  provider: 'longhaul-provider',
  transfer: 'longhaul-transfer',
} as const;

export const WORKFLOW_TYPES = { runBatch: 'runBatch', runShard: 'runShard' } as const;

export const SIGNALS = {
  cancel: 'cancel',
  pause: 'pause',
  resume: 'resume',
  pollNow: 'pollNow',
  shardPhase: 'shardPhase',
} as const;

export const UPDATES = { cancel: 'cancel', pause: 'pause', resume: 'resume', pollNow: 'pollNow' } as const;

export const QUERIES = { progress: 'progress' } as const;

/** Name and type of each search attribute. SQLite visibility allows three of type Int. */
export const SEARCH_ATTRIBUTES = {
  LonghaulProvider: 'Keyword',
  LonghaulModel: 'Keyword',
  LonghaulEndpoint: 'Keyword',
  LonghaulPhase: 'Keyword',
  LonghaulOutcome: 'Keyword',
  LonghaulRows: 'Int',
  LonghaulRowsFailed: 'Int',
} as const;

export type SearchAttributeName = keyof typeof SEARCH_ATTRIBUTES;

/** Memo fields of `runBatch`. */
export const MEMO = { fingerprint: 'longhaulFingerprint', summary: 'longhaulSummary' } as const;

/** Metadata that marks a provider job as ours; user metadata may not begin with the prefix. */
export const JOB_METADATA = {
  prefix: 'longhaul_',
  key: 'longhaul_key',
  batch: 'longhaul_batch',
  run: 'longhaul_run',
} as const;
