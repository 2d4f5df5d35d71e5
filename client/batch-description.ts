import type { Client, WorkflowExecutionInfo, WorkflowExecutionStatusName } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { TypedSearchAttributes } from '@temporalio/common';
import type { BatchSummary } from '../batch/manifest.js';
import { OUTCOMES } from '../batch/outcome.js';
import type { Outcome } from '../batch/outcome.js';
import { BATCH_PHASES } from '../batch/progress.js';
import type { BatchPhase, BatchProgress } from '../batch/progress.js';
import { NO_ROWS } from '../batch/rows.js';
import { MEMO } from '../batch/wire-names.js';
import { batchSummarySchema } from '../schemas/batch-summary.js';

const PHASE = defineSearchAttributeKey('LonghaulPhase', 'KEYWORD');
const OUTCOME = defineSearchAttributeKey('LonghaulOutcome', 'KEYWORD');
const PROVIDER = defineSearchAttributeKey('LonghaulProvider', 'KEYWORD');
const MODEL = defineSearchAttributeKey('LonghaulModel', 'KEYWORD');
const ENDPOINT = defineSearchAttributeKey('LonghaulEndpoint', 'KEYWORD');
const ROWS = defineSearchAttributeKey('LonghaulRows', 'INT');
const ROWS_FAILED = defineSearchAttributeKey('LonghaulRowsFailed', 'INT');

/** What search attributes say of a batch; null for what they don't. */
export interface BatchAttributes {
  readonly phase: BatchPhase | null;
  readonly outcome: Outcome | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly rows: number | null;
  readonly rowsFailed: number | null;
}

function readAttributes(attributes: TypedSearchAttributes): BatchAttributes {
  const phase = attributes.get(PHASE);
  const outcome = attributes.get(OUTCOME);
  return {
    phase: BATCH_PHASES.find((known) => known === phase) ?? null,
    outcome: OUTCOMES.find((known) => known === outcome) ?? null,
    provider: attributes.get(PROVIDER) ?? null,
    model: attributes.get(MODEL) ?? null,
    endpoint: attributes.get(ENDPOINT) ?? null,
    rows: attributes.get(ROWS) ?? null,
    rowsFailed: attributes.get(ROWS_FAILED) ?? null,
  };
}

/** One run of a batch as Temporal knows it, without any worker. Times are ISO 8601 UTC. */
export interface BatchDescription extends BatchAttributes {
  readonly batchId: string;
  readonly runId: string;
  readonly status: WorkflowExecutionStatusName;
  readonly open: boolean;
  readonly startedAt: string;
  readonly closedAt: string | null;
  readonly fingerprint: string | null;
  /** Left in the memo by a run that ended as Canceled. */
  readonly summary: BatchSummary | null;
}

/** The batch's latest run, or the one named. For `Temporal.call`. */
export function describeBatch(batchId: string, runId?: string) {
  return async (client: Client): Promise<BatchDescription> =>
    toDescription(await client.workflow.getHandle(batchId, runId).describe());
}

type Described = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'runId' | 'status' | 'startTime' | 'closeTime' | 'memo' | 'typedSearchAttributes'
>;

export function toDescription(info: Described): BatchDescription {
  const fingerprint = info.memo?.[MEMO.fingerprint];
  return {
    ...readAttributes(info.typedSearchAttributes),
    batchId: info.workflowId,
    runId: info.runId,
    status: info.status.name,
    open: info.status.name === 'RUNNING' || info.status.name === 'PAUSED',
    startedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
    fingerprint: typeof fingerprint === 'string' ? fingerprint : null,
    summary: batchSummarySchema.safeParse(info.memo?.[MEMO.summary]).data ?? null,
  };
}

/** The state of a batch when nobody who works on it answers. */
export function progressOf(description: BatchDescription): BatchProgress {
  const total = description.rows ?? 0;
  const phase = description.open ? (description.phase ?? 'preparing') : 'done';
  return {
    batchId: description.batchId,
    phase,
    paused: phase === 'paused',
    rows: { ...NO_ROWS, total, unanswered: total },
    rowsDone: 0,
    shards: { total: 0, running: 0, done: 0 },
    jobs: [],
    running: [],
    startedAt: description.startedAt,
    etaAt: null,
  };
}
