import { idRefusal } from '../batch/batch-id.js';
import { parseDuration } from '../batch/duration.js';
import { defaultBatchId, fingerprintText } from '../batch/keys.js';
import { DEFAULTS } from '../batch/settings.js';
import { describeProblems } from '../schemas/problems.js';
import { parseRunBatchInput } from '../schemas/run-batch-input.js';
import type { ParsedRunBatchInput } from '../schemas/run-batch-input.js';
import { sha256Hex } from '../storage/hash.js';
import { inputBaseName, inputUriOf } from '../storage/input-uri.js';
import { LonghaulError } from './failures.js';
import type { BatchOptions, StartOptions } from './types.js';

/** What is to be bought, and under which name. */
export interface BatchRequest {
  readonly batchId: string;
  readonly fingerprint: string;
  /** The workflow's argument, with the input's hash. */
  readonly input: ParsedRunBatchInput;
}

/** The workflow's argument as the options describe it. Throws InvalidInput for settings that break a rule. */
export function toRunBatchInput({ input, ...settings }: BatchOptions): ParsedRunBatchInput {
  if (typeof input !== 'string' || input === '') {
    throw new LonghaulError('InvalidInput', 'input must be the path or URI of a JSONL file');
  }
  const result = parseRunBatchInput({ input: { uri: inputUriOf(input) }, ...settings });
  if (result.ok) return result.value;
  throw new LonghaulError(
    'InvalidInput',
    `the batch's settings are not valid: ${describeProblems(result.problems)}`,
  );
}

/** `origin`: of the provider's base URL; `sha256`: of the input as it lies there. */
export function describeRequest(
  options: StartOptions,
  facts: { readonly origin: string; readonly sha256: string },
): BatchRequest {
  const { id, inputName } = options;
  const parsed = toRunBatchInput(batchOptions(options));
  const fingerprint = sha256Hex(
    fingerprintText({
      inputSha256: facts.sha256,
      endpoint: parsed.endpoint,
      model: parsed.model,
      jobTimeoutMs: parseDuration(parsed.jobTimeout) ?? DEFAULTS.jobTimeoutMs,
      provider: parsed.provider,
      origin: facts.origin,
    }),
  );
  const { uri } = parsed.input;
  const batchId = id ?? defaultBatchId(inputName ?? inputBaseName(uri), fingerprint);
  assertBatchId(batchId);
  return { batchId, fingerprint, input: { ...parsed, input: { uri, sha256: facts.sha256 } } };
}

/** All that can be said against the options without reading the input. */
export function assertSettings(options: StartOptions): void {
  toRunBatchInput(batchOptions(options));
  if (options.id !== undefined) assertBatchId(options.id);
}

function batchOptions(options: StartOptions): BatchOptions {
  const { id: _id, inputName: _name, stageInput: _stage, signal: _signal, ...batch } = options;
  return batch;
}

export function assertBatchId(batchId: unknown): void {
  const refusal = idRefusal('batch', batchId);
  if (refusal !== null) throw new LonghaulError('InvalidInput', refusal);
}
