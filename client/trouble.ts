import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { LonghaulError } from './failures.js';
import type { Temporal } from './temporal.js';

/** Something of a batch that failed and is being tried again: why nothing advances just now. */
export interface Trouble {
  /** `createJob`, `upload` and so on. */
  readonly activity: string;
  /** Null: it is of the batch as a whole. */
  readonly shard: number | null;
  /** Of the next or the running attempt, from 2. */
  readonly attempt: number;
  /** A failure type, such as `ProviderUnavailable`; null for a failure without one. */
  readonly type: string | null;
  readonly message: string;
}

/** Shards that are looked at: what ails one commonly ails all. */
const MAX_SHARDS = 4;

/**
 * The worst of what is being retried in a batch and its running shards, or null. It is read from Temporal, so that no
 * worker has to answer. Never fails for being asked, but for the signal's reason.
 */
export async function findTrouble(
  temporal: Temporal,
  batchId: string,
  signal?: AbortSignal,
): Promise<Trouble | null> {
  try {
    const found = await temporal.call(
      async (client) => {
        const batch = await pendingOf(temporal, client, batchId);
        const shards = batch.children.slice(0, MAX_SHARDS).map((id) => pendingOf(temporal, client, id));
        return [batch, ...(await Promise.all(shards))].flatMap(({ troubles }) => troubles);
      },
      { signal },
    );
    return found.toSorted((a, b) => b.attempt - a.attempt)[0] ?? null;
  } catch (error) {
    // A batch that just ended, a server that is away: others say so.
    if (error instanceof LonghaulError) return null;
    throw error;
  }
}

async function pendingOf(
  temporal: Temporal,
  client: Client,
  workflowId: string,
): Promise<{ readonly troubles: readonly Trouble[]; readonly children: readonly string[] }> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const shard = shardOf(workflowId);
  const troubles: Trouble[] = [];
  for (const { activityType, attempt, lastFailure } of raw.pendingActivities ?? []) {
    if (lastFailure === null || lastFailure === undefined) continue;
    const { applicationFailureInfo, encodedAttributes, message } = lastFailure;
    troubles.push({
      activity: activityType?.name ?? '',
      shard,
      attempt: attempt ?? 1,
      type: applicationFailureInfo?.type ?? null,
      message: messageIn(await sealedPart(temporal, encodedAttributes)) ?? message ?? '',
    });
  }
  const children = (raw.pendingChildren ?? []).flatMap((child) => child.workflowId ?? []);
  return { troubles, children };
}

/** Of a shard's workflow id; null for a batch's. */
function shardOf(workflowId: string): number | null {
  const digits = /\/shard-(\d+)$/.exec(workflowId)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Workers with keys keep a failure's message in a payload. */
async function sealedPart(temporal: Temporal, payload: Payload | null | undefined): Promise<unknown> {
  return payload === null || payload === undefined ? null : temporal.read(payload);
}

function messageIn(attributes: unknown): string | null {
  if (typeof attributes !== 'object' || attributes === null || !('message' in attributes)) return null;
  return typeof attributes.message === 'string' ? attributes.message : null;
}
