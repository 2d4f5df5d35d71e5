import { layout } from '../batch/layout.js';
import { planSchema } from '../schemas/records.js';
import type { Plan } from '../schemas/records.js';
import { readRecord } from '../storage/record.js';
import type { SealedCut } from '../storage/sealed-cut.js';
import type { Store } from '../storage/store.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import { recordText } from './records.js';

/** What a batch is, apart from how it is cut. */
export type Identity = Pick<
  Plan,
  'fingerprint' | 'storeId' | 'provider' | 'endpoint' | 'model' | 'jobTimeoutMs'
> & {
  readonly sha256: string;
};

/** What was decided by an attempt that has not come to the plan; null: nothing. */
export async function draftOf(store: Store, batchId: string, identity: Identity): Promise<Plan | null> {
  const draft = await readRecord(store, layout.planDraft(batchId), planSchema);
  if (draft !== null) assertSamePlan(draft, identity, batchId);
  return draft;
}

/**
 * Of all attempts to cut a batch, maybe by different limits, one is its plan, and the shards under their names are its.
 * The draft decides: created once, before any shard has its name. Whoever has cut as the draft says gives the shards
 * their names, then writes the plan, then removes the draft. So where there is a plan its shards are there too, and an
 * attempt that was cut off anywhere is ended by any other one.
 *
 * The plan is looked for after the draft was read: where there is none even then, no draft was ever removed, so the one
 * that was read is the first. One that is written after that is of no effect.
 */
export async function decidePlan(
  store: Store,
  attempt: Attempt,
  { own, cut }: { readonly own: Plan; readonly cut: SealedCut },
): Promise<Plan> {
  const { batchId } = own;
  const identity = { ...own, sha256: own.input.sha256 };
  const path = layout.planDraft(batchId);
  await store.writeSmall(path, recordText(own), { ifAbsent: true });
  const draft = await draftOf(store, batchId, identity);
  const standing = await readRecord(store, layout.plan(batchId), planSchema);
  if (standing === null) {
    if (draft === null || !isCutAlike(draft, own)) throw otherCut(store, batchId);
    await cut.publish(store, (files) => attempt.beat(`${files} shard files named`));
    await store.writeSmall(layout.plan(batchId), recordText(draft), { ifAbsent: true });
  }
  const plan = standing ?? (await readRecord(store, layout.plan(batchId), planSchema));
  if (plan === null) throw otherCut(store, batchId);
  assertSamePlan(plan, identity, batchId);
  await store.remove(path);
  return plan;
}

function isCutAlike(a: Plan, b: Plan): boolean {
  return (
    a.invalid === b.invalid &&
    a.sharding.maxRows === b.sharding.maxRows &&
    a.sharding.maxBytes === b.sharding.maxBytes &&
    a.shards.length === b.shards.length &&
    a.shards.every(({ rows, sha256 }, shard) => {
      const other = b.shards[shard];
      return rows === other?.rows && sha256 === other.sha256;
    })
  );
}

function otherCut(store: Store, batchId: string): BatchError {
  const path = store.uriOf(layout.planDraft(batchId));
  return new BatchError(
    'StorageUnavailable',
    `batch ${batchId} is being cut into shards by another attempt, otherwise than by this one, which looks again. If this goes on and nothing else prepares the batch, another Longhaul version began it: remove ${path}`,
  );
}

export function assertSamePlan(plan: Plan, identity: Identity, batchId: string): void {
  if (plan.storeId !== identity.storeId) {
    throw new BatchError(
      'StorageMismatch',
      `batch ${batchId} was prepared in another store of the same name; point LONGHAUL_STORE of all workers at one store and run the same command again`,
    );
  }
  if (plan.fingerprint === identity.fingerprint) return;
  const differing = [
    ...(plan.input.sha256 === identity.sha256 ? [] : ['input']),
    ...(plan.endpoint === identity.endpoint ? [] : ['endpoint']),
    ...(plan.model === identity.model ? [] : ['model']),
    ...(plan.jobTimeoutMs === identity.jobTimeoutMs ? [] : ['job timeout']),
    ...(plan.provider === identity.provider ? [] : ['provider']),
  ];
  const what = differing.length === 0 ? 'base URL' : differing.join(', ');
  throw new BatchError(
    'FingerprintMismatch',
    `batch ${batchId} exists with another ${what}; use another --id, or the settings it was started with`,
  );
}
