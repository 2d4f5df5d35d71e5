import { fingerprintText } from '../batch/keys.js';
import { layout } from '../batch/layout.js';
import type { Manifest } from '../batch/manifest.js';
import { isFinished } from '../batch/outcome.js';
import type { ShardLimits } from '../batch/shard-cut.js';
import type { BatchProvider } from '../providers/provider.js';
import { describeProblems } from '../schemas/problems.js';
import { planSchema } from '../schemas/records.js';
import type { Plan } from '../schemas/records.js';
import { parseRunBatchInput } from '../schemas/run-batch-input.js';
import type { ParsedRunBatchInput } from '../schemas/run-batch-input.js';
import { openFileStore } from '../storage/file.js';
import { hashing, sha256Hex } from '../storage/hash.js';
import { scanInput } from '../storage/input-scan.js';
import type { ScanResult } from '../storage/input-scan.js';
import { openInput } from '../storage/input.js';
import type { Input } from '../storage/input.js';
import { assertFreeSpace, createScratch } from '../storage/scratch.js';
import type { SealedCut } from '../storage/sealed-cut.js';
import { cutShards, inputChanged } from '../storage/shard-writer.js';
import { readRecord } from '../storage/record.js';
import { currentAttempt } from './attempt.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import type { PrepareResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { describeIssues, NO_ROWS } from './input-issues.js';
import { archivedGenerations, readManifest, retireManifest, summaryOf } from './manifest-file.js';
import { assertSamePlan, decidePlan, draftOf } from './plan-decision.js';
import type { Identity } from './plan-decision.js';
import { preparedBy } from './prepared.js';
import { assertProviderTakes, jobTimeoutMs, resolveSettings, shardLimits } from './settings.js';

/**
 * Validates the whole input and cuts it into shards, or finds that this was done, or that the batch is finished.
 *
 * *Idempotency*: the same input gives the same files; `plan.json` is written last and once, and is law from then on.
 * *Retries*: from the start, until there is a plan. Whatever the caller has to mend is final and leaves neither plan nor
 * manifest.
 * *Cancellation*: between two pieces of the input; temporary files are removed.
 */
export async function prepare(deps: ActivityDeps, rawInput: unknown): Promise<PrepareResult> {
  const attempt = currentAttempt();
  const begunAt = deps.clock.now();
  const parsed = parseRunBatchInput(rawInput);
  if (!parsed.ok) {
    throw new BatchError(
      'InvalidInput',
      `the batch's settings are not valid: ${describeProblems(parsed.problems)}`,
    );
  }
  const input = parsed.value;
  const provider = deps.provider(input.provider);
  assertProviderTakes(input, provider.capabilities);
  const limits = shardLimits(input, provider.capabilities);

  const opened = await openInput(input.input.uri, { roots: await deps.fileRoots(), store: deps.store });
  const sha256 = await hashWhole(opened, attempt);
  const identity = await identify(deps, attempt, { input, provider, sha256 });

  const { store } = deps;
  const { batchId } = attempt;
  const standing = await readRecord(store, layout.plan(batchId), planSchema);
  if (standing !== null) {
    assertSamePlan(standing, identity, batchId);
    // An attempt that was killed as it had written the plan leaves what decided it.
    await store.remove(layout.planDraft(batchId));
  }
  // Twice: while this attempt retired one, a later run may have published its own. If it was held up before, its own run
  // or a later one may have ended since it began.
  for (let looks = 0; ; looks += 1) {
    const ended = await readManifest(store, batchId);
    if (ended === null) break;
    const { manifest } = ended;
    if (standing === null) assertSameManifest(manifest, identity);
    const goesOn = manifest.outcome === 'partial' && (input.retry || input.rebuyLost);
    if (manifest.outcome !== null && isFinished(manifest.outcome) && !goesOn) {
      return { kind: 'finished', fingerprint: identity.fingerprint, summary: summaryOf(store, ended) };
    }
    if (looks > 0 || Date.parse(manifest.finishedAt ?? '') > begunAt) throw finishedMeanwhile(batchId);
    await retireManifest(store, batchId, ended);
  }
  const plan = standing ?? (await makePlan(deps, attempt, { input, opened, identity, limits }));
  const archived = await archivedGenerations(store, batchId);
  return preparedBy(plan, { archived, resumed: standing !== null, settings: resolveSettings(input, deps) });
}

/** Only a new attempt may take that end for what its run is to go on from: this one may be long given up. */
function finishedMeanwhile(batchId: string): BatchError {
  return new BatchError(
    'StorageUnavailable',
    `batch ${batchId} was ended by another run meanwhile; this one looks again`,
  );
}

async function hashWhole(opened: Input, attempt: Attempt): Promise<string> {
  const source = hashing(opened.raw(attempt.signal));
  let bytes = 0;
  for await (const chunk of source.bytes) {
    bytes += chunk.length;
    attempt.beat(`hashed ${bytes} of ${opened.bytes} bytes`);
  }
  return source.digest();
}

async function identify(
  deps: ActivityDeps,
  { batchId }: Attempt,
  facts: { readonly input: ParsedRunBatchInput; readonly provider: BatchProvider; readonly sha256: string },
): Promise<Identity> {
  const { input, provider, sha256 } = facts;
  if (input.input.sha256 !== undefined && input.input.sha256 !== sha256) {
    throw new BatchError(
      'FingerprintMismatch',
      `the content of ${input.input.uri} is not the one that batch ${batchId} was started with; start again, or put the file back`,
    );
  }
  const { endpoint, model } = input;
  const timeout = jobTimeoutMs(input);
  const text = fingerprintText({
    inputSha256: sha256,
    endpoint,
    model,
    jobTimeoutMs: timeout,
    provider: input.provider,
    origin: provider.origin,
  });
  return {
    fingerprint: sha256Hex(text),
    storeId: await deps.store.identity(),
    provider: input.provider,
    endpoint,
    model,
    jobTimeoutMs: timeout,
    sha256,
  };
}

/** For a manifest whose plan is gone; one that was written before there was a plan says nothing of its input. */
function assertSameManifest(manifest: Manifest, identity: Identity): void {
  const { batchId, input, endpoint, model, provider } = manifest;
  const sha256 = input?.sha256 ?? null;
  if (sha256 === null) return;
  const isSame =
    sha256 === identity.sha256 &&
    endpoint === identity.endpoint &&
    model === identity.model &&
    provider === identity.provider;
  if (isSame) return;
  throw new BatchError(
    'FingerprintMismatch',
    `batch ${batchId} exists with another input, endpoint, model or provider; use another --id, or the settings it was started with`,
  );
}

interface PlanWork {
  readonly input: ParsedRunBatchInput;
  readonly opened: Input;
  readonly limits: ShardLimits;
  readonly identity: Identity;
}

async function makePlan(deps: ActivityDeps, attempt: Attempt, wanted: PlanWork): Promise<Plan> {
  const draft = await draftOf(deps.store, attempt.batchId, wanted.identity);
  // Decided by an attempt that was cut off before all shards had their names: this one ends what it began.
  const work = draft === null ? wanted : { ...wanted, limits: draft.sharding };
  const { store } = deps;
  const { batchId } = attempt;
  // An attempt that was killed has left its whole cut.
  await store.removeUnfinished(batchId);
  const scratch = await createScratch(deps.scratchDir, `prepare-${batchId}`);
  try {
    // The index of the rows and, at worst, every row as an invalid one.
    await assertFreeSpace(deps.scratchDir, work.opened.bytes);
    const scratchStore = openFileStore(scratch.dir);
    const places = { scratch: scratchStore, scratchDir: scratch.dir };
    const scanned = hashing(work.opened.stream(attempt.signal));
    const scan = await scanInput(scanned.bytes, {
      ...places,
      model: work.input.model,
      endpoint: work.input.endpoint,
      maxRowBytes: work.limits.maxBytes - 1,
      onProgress: (rows) => attempt.beat(`${rows} rows validated`),
    });
    assertAcceptable(scan, work);
    const copied = hashing(work.opened.stream(attempt.signal));
    const cut = await cutShards(copied.bytes, {
      scratch: scratchStore,
      store,
      batchId,
      scan,
      limits: work.limits,
      onProgress: (rows) => attempt.beat(`${rows} of ${scan.rows} rows cut`),
    });
    try {
      await assertUnchanged(attempt, work, { scanned: scanned.digest(), copied: copied.digest() });
      return await decidePlan(store, attempt, { own: planOf(batchId, work, scan, cut), cut });
    } finally {
      await cut.discard();
    }
  } finally {
    await scratch.dispose();
  }
}

/**
 * What was validated and copied must be what the fingerprint speaks of. The content of a compressed input has another
 * hash than its file, so that is read once more.
 */
async function assertUnchanged(
  attempt: Attempt,
  { opened, identity }: PlanWork,
  passes: { readonly scanned: string; readonly copied: string },
): Promise<void> {
  if (passes.scanned !== passes.copied) throw inputChanged();
  if (passes.copied === identity.sha256) return;
  if ((await hashWhole(opened, attempt)) !== identity.sha256) throw inputChanged();
}

function assertAcceptable(scan: ScanResult, { input, opened }: PlanWork): void {
  const { uri } = input.input;
  if (opened.bytes === 0) throw new BatchError('InvalidInput', `${uri} is empty`);
  if (scan.rows === 0) throw new BatchError('InvalidInput', `${uri} ${NO_ROWS}`);
  if (scan.invalid === 0 || input.onInvalid === 'skip') return;
  const type = scan.repeated === scan.invalid ? 'DuplicateCustomId' : 'InvalidInput';
  throw new BatchError(type, describeIssues(uri, scan));
}

function planOf(batchId: string, work: PlanWork, scan: ScanResult, cut: SealedCut): Plan {
  const { input, opened, limits, identity } = work;
  const { sha256, ...same } = identity;
  return {
    version: 1,
    batchId,
    ...same,
    input: { uri: input.input.uri, rows: scan.rows, bytes: opened.bytes, sha256 },
    invalid: scan.invalid,
    sharding: limits,
    shards: cut.shards,
  };
}
