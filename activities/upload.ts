import { inputFileName } from '../batch/orphans.js';
import { ProviderError } from '../providers/errors.js';
import type { BatchProvider, RemoteFile } from '../providers/provider.js';
import { hashing } from '../storage/hash.js';
import { currentAttempt } from './attempt.js';
import type { Attempt } from './attempt.js';
import { BatchError } from './batch-error.js';
import type { UploadInput, UploadResult } from './contract.js';
import type { ActivityDeps } from './deps.js';
import { requirePlan } from './records.js';

/** How long after an upload without an answer its file may still appear in the provider's list. */
const FILE_SHOWS_MS = 5_000;

/**
 * Puts a round's input at the provider, under a name made from the round's key.
 *
 * *Idempotency*: a file of that name with the right size and line count is used again, one with other counts is
 * deleted. Two rivals may both upload; a file costs nothing and the job names one.
 * *Retries*: from the first byte; an upload without an answer is looked for first.
 * *Cancellation*: aborts the transfer; the provider keeps no part of a file.
 */
export async function upload(deps: ActivityDeps, input: UploadInput): Promise<UploadResult> {
  const attempt = currentAttempt();
  const { signal } = attempt;
  const plan = await requirePlan(deps.store, attempt.batchId);
  const provider = deps.provider(plan.provider);
  const name = inputFileName(input.key);

  attempt.beat('looking for the file');
  for (const file of await provider.findFiles(name, { signal })) {
    if (isSame(file, input)) return { fileId: file.id };
    await provider.deleteFile(file.id, { signal });
  }
  const file = await send(deps, provider, attempt, input, name);
  if (isSame(file, input)) return { fileId: file.id };
  await provider.deleteFile(file.id, { signal });
  throw new BatchError(
    'IntegrityMismatch',
    `the provider counts ${file.bytes ?? 'unknown'} bytes and ${file.lines ?? 'unknown'} lines in an upload of ${input.bytes} bytes and ${input.rows} lines`,
  );
}

/** What the provider does not count can't disagree; what it counts must agree. */
function isSame(file: RemoteFile, { bytes, rows }: UploadInput): boolean {
  return (file.bytes === null || file.bytes === bytes) && (file.lines === null || file.lines === rows);
}

async function send(
  deps: ActivityDeps,
  provider: BatchProvider,
  attempt: Attempt,
  input: UploadInput,
  name: string,
): Promise<RemoteFile> {
  const { signal } = attempt;
  const { store } = deps;
  const source = hashing(store.read(input.path, { signal }));
  let file: RemoteFile;
  try {
    file = await provider.uploadFile(
      { name, bytes: input.bytes, open: () => source.bytes },
      { signal, onProgress: (bytes) => attempt.beat(`${bytes} of ${input.bytes} bytes`) },
    );
  } catch (error) {
    if (!(error instanceof ProviderError) || error.type !== 'ProviderAmbiguous') throw error;
    throw new BatchError('ProviderAmbiguous', error.message, { retryDelayMs: FILE_SHOWS_MS, cause: error });
  }
  if (source.digest() === input.sha256) return file;
  await provider.deleteFile(file.id, { signal });
  throw new BatchError(
    'IntegrityMismatch',
    `${store.uriOf(input.path)} was changed since it was written; start the batch under another --id`,
  );
}
