import { WorkflowFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { isFailureType } from '../batch/failure-types.js';
import type { BatchSummary, Manifest } from '../batch/manifest.js';
import { NO_ROWS } from '../batch/rows.js';
import { batchSummarySchema } from '../schemas/batch-summary.js';
import type { BatchDescription } from './batch-description.js';
import { workflowFailure } from './errors.js';
import { LonghaulError } from './failures.js';

/** How a run ended: with what it returned, or with an error. */
export interface RunEnd {
  readonly summary: BatchSummary | null;
  readonly error: LonghaulError | null;
}

/** Waits for the end of a run. For `Temporal.call`, whose time-out bounds the wait. */
export function awaitRunEnd(batchId: string, runId: string) {
  return async (client: Client): Promise<RunEnd> => {
    try {
      const result: unknown = await client.workflow.getHandle(batchId, runId).result();
      return { summary: batchSummarySchema.safeParse(result).data ?? null, error: null };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return { summary: null, error: workflowFailure(error) };
      throw error;
    }
  };
}

/**
 * The account of a closed run. The manifest in the store is it, unless that stands there from an earlier run and
 * this one ended without its own. Throws the failure of a run without an account.
 */
export function accountOf(run: BatchDescription, end: RunEnd, manifest: Manifest | null): Manifest {
  const { error } = end;
  if (manifest !== null && (error === null || isOf(run, manifest, error))) return manifest;
  // Without a manifest this is not the workers' store: what the workflow itself said is all there is.
  const summary = end.summary ?? run.summary;
  if (summary !== null) {
    const { generation, outcome, rows, failure } = summary;
    return { ...emptyAccount(run), generation, outcome, rows, failure };
  }
  throw error ?? new LonghaulError('BatchTerminated', `batch ${run.batchId} ended without an account`);
}

function isOf(run: BatchDescription, manifest: Manifest, error: LonghaulError): boolean {
  const { failure } = manifest;
  if (failure !== null && failure.type === error.type && failure.message === error.message) return true;
  return manifest.startedAt === run.startedAt;
}

/** The manifest's shape for a run that failed before it had one; null when it ended in another way. */
export function failedAccount(run: BatchDescription, error: LonghaulError): Manifest | null {
  const { type, message } = error;
  return isFailureType(type) ? { ...emptyAccount(run), outcome: 'failed', failure: { type, message } } : null;
}

function emptyAccount(run: BatchDescription): Manifest {
  return {
    batchId: run.batchId,
    generation: null,
    outcome: null,
    phase: 'done',
    provider: run.provider,
    endpoint: run.endpoint,
    model: run.model,
    input: null,
    rows: NO_ROWS,
    jobs: [],
    usage: {},
    results: null,
    errors: null,
    failure: null,
    startedAt: run.startedAt,
    finishedAt: run.closedAt,
  };
}
