import type { Client } from '@temporalio/client';
import { parseDuration } from '../batch/duration.js';
import type { Manifest } from '../batch/manifest.js';
import { isFinished } from '../batch/outcome.js';
import { MEMO, TASK_QUEUES, WORKFLOW_TYPES } from '../batch/wire-names.js';
import type { Plan } from '../schemas/records.js';
import { hashInput } from '../storage/input.js';
import { inputBaseName } from '../storage/input-uri.js';
import type { Store } from '../storage/store.js';
import { assertOptions } from './assert-options.js';
import { describeBatch } from './batch-description.js';
import type { BatchDescription } from './batch-description.js';
import { BatchFiles } from './batch-files.js';
import { BatchHandleOverTemporal } from './batch-handle.js';
import { assertSettings, describeRequest } from './batch-request.js';
import type { BatchRequest } from './batch-request.js';
import { fromStore } from './errors.js';
import { LonghaulError } from './failures.js';
import { pause } from './pause.js';
import { assertSetUp } from './setup.js';
import { stageInput } from './stage-input.js';
import type { Temporal } from './temporal.js';
import type { BatchHandle, StartOptions } from './types.js';

export interface StartContext {
  readonly temporal: Temporal;
  readonly store: Store;
  /** Of the provider's base URL. */
  readonly origin: string;
}

/** How long a batch that somebody else started may take to say what it was started with. */
const FINGERPRINT_WITHIN_MS = 10_000;

/** Starts a batch, attaches to the one that runs, or finds it finished in the store; in that order of cost. */
export async function startBatch(context: StartContext, options: StartOptions): Promise<BatchHandle> {
  assertOptions('start', options, { inputName: 'text', stageInput: 'truth', signal: 'signal' });
  const { temporal, store } = context;
  const { signal } = options;
  const request = await identify(context, options);
  const files = new BatchFiles(store, request.batchId);
  const finished = await findFinished(files, request);
  if (finished !== null) return new BatchHandleOverTemporal({ temporal, files, attached: true, finished });
  await assertSetUp(temporal);
  const running = await findRunning(temporal, request.batchId);
  if (running === null) {
    const given = request.input.input.uri;
    const uri = options.stageInput === true ? await stageInput(store, request, signal) : given;
    await temporal.call(startWorkflow(request, uri), { signal });
  }
  await assertSameFingerprint(temporal, request, signal);
  return new BatchHandleOverTemporal({ temporal, files, attached: running !== null, finished: null });
}

/** Reads the input for its hash. Throws InvalidInput for what can be said against options and input by then. */
export async function identify(
  { origin }: Pick<StartContext, 'origin'>,
  options: StartOptions,
): Promise<BatchRequest> {
  const { input, signal } = options;
  // Before a large input is read for its hash.
  assertSettings(options);
  try {
    const { sha256 } = await hashInput(input, signal === undefined ? {} : { signal });
    return describeRequest(options, { origin, sha256 });
  } catch (error) {
    throw fromStore(error);
  }
}

/** The manifest in the store, not Temporal, is the record that a batch is done. */
export async function findFinished(
  files: BatchFiles,
  { fingerprint, input }: BatchRequest,
): Promise<Manifest | null> {
  const plan = await files.plan();
  if (plan !== null && plan.fingerprint !== fingerprint) {
    throw mismatch(files.batchId, differences(plan, input));
  }
  const manifest = await files.manifest();
  if (manifest?.outcome === null || manifest === null || !isFinished(manifest.outcome)) return null;
  const goesOn = manifest.outcome === 'partial' && (input.retry || input.rebuyLost);
  return goesOn ? null : manifest;
}

function differences(plan: Plan, input: BatchRequest['input']): string {
  const differing = [
    ...(plan.input.sha256 === input.input.sha256 ? [] : ['input']),
    ...(plan.endpoint === input.endpoint ? [] : ['endpoint']),
    ...(plan.model === input.model ? [] : ['model']),
    ...(plan.jobTimeoutMs === parseDuration(input.jobTimeout) ? [] : ['job timeout']),
    ...(plan.provider === input.provider ? [] : ['provider']),
  ];
  return differing.length === 0 ? 'base URL' : differing.join(', ');
}

function mismatch(batchId: string, what: string): LonghaulError {
  return new LonghaulError(
    'FingerprintMismatch',
    `batch ${batchId} exists with another ${what}; use another id, or the settings it was started with`,
  );
}

async function findRunning(temporal: Temporal, batchId: string): Promise<BatchDescription | null> {
  try {
    const description = await temporal.call(describeBatch(batchId));
    return description.open ? description : null;
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'UnknownBatch') return null;
    throw error;
  }
}

function startWorkflow({ batchId, fingerprint, input }: BatchRequest, uri: string) {
  const { endpoint, model, provider } = input;
  const name = inputBaseName(input.input.uri);
  return (client: Client) =>
    client.workflow.start(WORKFLOW_TYPES.runBatch, {
      workflowId: batchId,
      taskQueue: TASK_QUEUES.workflows,
      args: [{ ...input, input: { ...input.input, uri } }],
      // Of two callers at once, one starts it and the other attaches.
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      memo: { [MEMO.fingerprint]: fingerprint },
      staticSummary: `${name}: ${model} on ${endpoint}`,
      staticDetails: `Batch of \`${uri}\` by ${provider}, model \`${model}\`, endpoint \`${endpoint}\``,
    });
}

/** The batch under this id may be somebody else's: started at the same time, by a schedule, by another language. */
async function assertSameFingerprint(
  temporal: Temporal,
  { batchId, fingerprint }: BatchRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const until = Date.now() + FINGERPRINT_WITHIN_MS;
  for (;;) {
    const run = await temporal.call(describeBatch(batchId), { signal });
    if (run.fingerprint === fingerprint) return;
    if (run.fingerprint !== null) throw mismatch(batchId, 'input, endpoint, model, job timeout or provider');
    // Only `prepare` can tell; a run that failed before it never will, and is told by its result.
    if (!run.open) return;
    if (Date.now() > until) {
      throw new LonghaulError(
        'FingerprintMismatch',
        `batch ${batchId} was started by somebody else and has not said with what input; try again when it runs`,
      );
    }
    await pause(500, signal);
  }
}
