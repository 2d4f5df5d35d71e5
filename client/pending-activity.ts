import type { Client } from '@temporalio/client';
import { shardWorkflowId } from '../batch/layout.js';
import { LonghaulError } from './failures.js';
import type { Temporal } from './temporal.js';

/** Something of a batch that failed and is being tried again: why nothing advances just now. */
export interface Trouble {
  /** `createJob`, `upload` and so on. */
  readonly activity: string;
  /** Of the next or the running attempt, from 2. */
  readonly attempt: number;
  /** A failure type, such as `ProviderUnavailable`; empty for a failure without one. */
  readonly type: string;
  readonly message: string;
}

/** Shards that are looked at: what ails one commonly ails all. */
const MAX_SHARDS = 4;

/** The worst of what is being retried in a batch and its running shards, or null. Never fails for being asked. */
export async function findTrouble(
  temporal: Temporal,
  batchId: string,
  running: readonly number[],
): Promise<Trouble | null> {
  const workflowIds = [
    batchId,
    ...running.slice(0, MAX_SHARDS).map((shard) => shardWorkflowId(batchId, shard)),
  ];
  try {
    const found = await temporal.call(async (client) =>
      (await Promise.all(workflowIds.map((id) => troublesOf(client, id)))).flat(),
    );
    return found.toSorted((a, b) => b.attempt - a.attempt)[0] ?? null;
  } catch (error) {
    // A batch that just ended, a server that is away: others say so.
    if (error instanceof LonghaulError) return null;
    throw error;
  }
}

async function troublesOf(client: Client, workflowId: string): Promise<Trouble[]> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return (raw.pendingActivities ?? []).flatMap(({ activityType, attempt, lastFailure }) =>
    lastFailure === null || lastFailure === undefined
      ? []
      : [
          {
            activity: activityType?.name ?? '',
            attempt: attempt ?? 1,
            type: lastFailure.applicationFailureInfo?.type ?? '',
            message: lastFailure.message ?? '',
          },
        ],
  );
}
