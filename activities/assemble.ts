import { batchProblem } from '../batch/accounting.js';
import { layout } from '../batch/layout.js';
import type { BatchSummary, FileReference, Manifest } from '../batch/manifest.js';
import { decideOutcome } from '../batch/outcome.js';
import { NO_ROWS, ROW_CLASSES } from '../batch/rows.js';
import type { RowCounts } from '../batch/rows.js';
import { planSchema } from '../schemas/records.js';
import type { Plan } from '../schemas/records.js';
import { removeStaleScratch } from '../storage/scratch.js';
import type { Store } from '../storage/store.js';
import { readRecord } from '../storage/record.js';
import { currentAttempt } from './attempt.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import type { AssembleInput, AssembleResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { jobAccounts } from './job-accounts.js';
import {
  archivedGenerations,
  manifestFile,
  readManifest,
  retireManifest,
  summaryOf,
} from './manifest-file.js';
import { requirePlan } from './records.js';
import { ResultFiles } from './result-merge.js';
import type { MergedResults } from './result-merge.js';
import { takeAway } from './taken-manifest.js';

/**
 * Merges the answers of all shards and rounds into `results.jsonl` and `errors.jsonl`, then writes the manifest: the
 * record that the batch is done.
 *
 * *Idempotency*: the manifest is created once for its generation; an attempt that comes after it returns it.
 * *Retries*: from the start, into new temporary files.
 * *Cancellation*: not asked for: a batch that was cancelled is assembled too.
 */
export async function assemble(deps: ActivityDeps, input: AssembleInput): Promise<AssembleResult> {
  const attempt = currentAttempt();
  const { store } = deps;
  const { batchId } = attempt;
  // Every step that a killed worker may have left unfinished is behind us.
  await store.removeUnfinished(batchId);
  await removeStaleScratch(deps.scratchDir);
  const archived = await archivedGenerations(store, batchId);
  const generation = input.generation ?? (archived.at(-1) ?? 0) + 1;
  const run = { ...input, generation };
  // A run that was cancelled before it was prepared knows too little to take an earlier end's place.
  const earlier = input.generation === null ? await readManifest(store, batchId) : null;
  const done = earlier === null ? await standing(store, batchId, run) : summaryOf(store, earlier);
  if (done !== null) return { summary: done };

  // Only a batch that was cancelled early has no plan. One that had a plan and has none now has lost its store, and a
  // manifest without rows would pass for its end.
  const plan =
    input.generation === null
      ? await readRecord(store, layout.plan(batchId), planSchema)
      : await requirePlan(store, batchId);
  if (plan === null) {
    const manifest = await describe(deps, attempt, input, { plan, merged: null, generation });
    return { summary: await publish(store, manifest, run) };
  }
  const files = await ResultFiles.open(store, batchId);
  try {
    const rows = await files.merge(store, attempt, plan, input);
    // Held up until a later run has finished, this one's files would replace those of its manifest.
    const overtaken = await standing(store, batchId, run);
    if (overtaken !== null) return { summary: overtaken };
    // Its workflow was ended meanwhile, so another run may be on its way.
    attempt.signal.throwIfAborted();
    const merged = await files.commit(rows);
    const manifest = await describe(deps, attempt, input, { plan, merged, generation });
    return { summary: await publish(store, manifest, run) };
  } finally {
    await files.abort();
  }
}

/**
 * What tells one run of a batch from another. A run that was terminated leaves its generation to the next one, so a
 * generation may have two runs: the one that started later is in the right.
 */
type Run = Pick<AssembleInput, 'startedAt' | 'counted' | 'whole'> & { readonly generation: number };

/**
 * A manifest that is there already: our own is the result, an earlier run's gives way, a later one's forbids us to go
 * on, unless it says what ours would: two Temporal servers may have finished one batch in one store.
 */
async function standing(store: Store, batchId: string, own: Run): Promise<BatchSummary | null> {
  const newest = (await archivedGenerations(store, batchId)).at(-1) ?? 0;
  const file = await readManifest(store, batchId);
  const found = file?.manifest.generation ?? 0;
  const ahead =
    file === null || found !== own.generation ? 0 : aheadMs(file.manifest.startedAt, own.startedAt);
  const taken = newest >= own.generation || found > own.generation;
  if (file !== null && !taken && ahead > 0 && saysTheSame(file.manifest, own)) return summaryOf(store, file);
  if (taken || ahead > 0) {
    throw new BatchError(
      'StorageMismatch',
      `batch ${batchId} was taken over by a later run (generation ${Math.max(found, newest)}, this one is ${own.generation}); nothing is written. That run’s account is the batch’s: see \`longhaul status ${batchId}\``,
    );
  }
  if (file === null) return null;
  if (found === own.generation && ahead === 0) return summaryOf(store, file);
  const isGone =
    found < own.generation
      ? await retireManifest(store, batchId, file)
      : // A run that was terminated while it assembled: its last word came after this run had taken its place.
        await takeAway(store, batchId, file.text);
  return isGone ? null : standing(store, batchId, own);
}

function saysTheSame({ rows }: Manifest, { counted, whole }: Run): boolean {
  return whole && ROW_CLASSES.every((name) => name === 'invalid' || rows[name] === counted[name]);
}

function aheadMs(theirs: string, ours: string): number {
  return Date.parse(theirs) - Date.parse(ours);
}

async function describe(
  deps: ActivityDeps,
  attempt: Attempt,
  input: AssembleInput,
  facts: { readonly plan: Plan | null; readonly merged: MergedResults | null; readonly generation: number },
): Promise<Manifest> {
  const { store, clock } = deps;
  const { batchId } = attempt;
  const { plan, merged, generation } = facts;
  const rows = merged?.rows ?? NO_ROWS;
  if (plan !== null) assertAddsUp(store, input, plan, rows);
  const { failure, cancelled, startedAt } = input;
  // A deadline that passed is no reason why nothing could be run.
  const fatal = failure?.type === 'DeadlineExceeded' ? null : failure;
  const { answered, unfinished } = merged ?? { answered: 0, unfinished: 0 };
  const outcome = decideOutcome({ rows, answered, unfinished, cancelled, failure: fatal });
  return {
    batchId,
    generation,
    outcome,
    phase: 'done',
    provider: plan?.provider ?? null,
    endpoint: plan?.endpoint ?? null,
    model: plan?.model ?? null,
    input: plan === null ? { uri: input.inputUri, rows: null, bytes: null, sha256: null } : plan.input,
    rows,
    jobs: plan === null ? [] : await jobAccounts(store, batchId, plan.shards.length, input),
    usage: merged?.usage ?? {},
    results: merged === null ? null : reference(store, layout.results(batchId), merged.results),
    errors: merged === null ? null : reference(store, layout.errors(batchId), merged.errors),
    failure: outcome === 'succeeded' ? null : failure,
    startedAt,
    finishedAt: new Date(clock.now()).toISOString(),
  };
}

/** Before the manifest: with it the batch would pass for finished. */
function assertAddsUp(
  store: Store,
  { counted, whole, failure }: AssembleInput,
  { batchId, input, invalid }: Plan,
  written: RowCounts,
): void {
  const found = failure?.type === 'AccountingMismatch' ? failure.message : null;
  const problem = found ?? batchProblem({ planned: { rows: input.rows, invalid }, counted, whole, written });
  if (problem === null) return;
  throw new BatchError(
    'AccountingMismatch',
    `the rows of batch ${batchId} do not add up: ${problem}; what was answered is in ${store.uriOf(layout.results(batchId))}, the rounds’ accounts are under ${store.uriOf(layout.rounds(batchId))}`,
  );
}

function reference(store: Store, path: string, file: Omit<FileReference, 'uri'>): FileReference {
  return { uri: store.uriOf(path), ...file };
}

/** The commit point. Of two attempts of one run the first one's manifest stands. */
async function publish(store: Store, manifest: Manifest, run: Run): Promise<BatchSummary> {
  const { batchId } = manifest;
  const file = manifestFile(manifest);
  for (;;) {
    const { created } = await store.writeSmall(layout.manifest(batchId), file.text, { ifAbsent: true });
    if (created) return summaryOf(store, file);
    const found = await standing(store, batchId, run);
    if (found !== null) return found;
  }
}
