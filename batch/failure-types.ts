/**
 * The registry of failures: every error that leaves Longhaul carries one of these types.
 * `docs/errors.md` is kept equal to it by a test.
 *
 * `retry` says what Temporal does with an activity that fails so:
 * - `yes`: retried until the activity's schedule-to-close time is over
 * - `few`: final when a few attempts in a row failed so, whatever failed before them
 * - `no`: final for the activity; what the workflow does about it is said in `meaning`
 */
export interface FailureDefinition {
  readonly retry: 'yes' | 'few' | 'no';
  readonly meaning: string;
  /** What a person does about it while the batch is open. */
  readonly remedy: string;
  /** What a person does about a batch that ended with it, where that is something else. */
  readonly ended?: string;
}

const definitions = {
  InvalidInput: {
    retry: 'no',
    meaning: 'The input or a setting breaks a rule. Nothing was sent to the provider.',
    remedy:
      'Correct the lines named in the message and run the same command again, or use --on-invalid skip.',
  },
  DuplicateCustomId: {
    retry: 'no',
    meaning: 'Two rows of the input have the same custom_id. Nothing was sent to the provider.',
    remedy: 'Give each row its own custom_id, or leave custom_id out and Longhaul numbers the rows.',
  },
  InputTooLarge: {
    retry: 'no',
    meaning: 'The input needs more shards than one batch may have. Nothing was sent to the provider.',
    remedy: 'Raise --shard-rows or --shard-bytes up to the provider’s limits, or split the input.',
  },
  InputNotAllowed: {
    retry: 'no',
    meaning: 'The worker may not read that input.',
    remedy: 'Add the input’s folder to LONGHAUL_FILE_ROOTS of the worker, or put the input into the store.',
  },
  FingerprintMismatch: {
    retry: 'no',
    meaning: 'The batch id belongs to a batch with another input, endpoint, model, timeout or provider.',
    remedy: 'Use another --id, or the settings that this batch id was first used with.',
  },
  ProviderAuth: {
    retry: 'no',
    meaning:
      'The provider refused the API key (401). A running shard waits for `resume`; before the first job the batch fails.',
    remedy: 'Set MISTRAL_API_KEY of the worker to a valid key, then run `longhaul resume <batch id>`.',
    ended: 'Set MISTRAL_API_KEY of the worker to a valid key, then run the same command again.',
  },
  ProviderForbidden: {
    retry: 'no',
    meaning:
      'The API key may not do this (403). A running shard waits for `resume`; before the first job the batch fails.',
    remedy:
      'Give the key’s workspace access to batch and to the model, then run `longhaul resume <batch id>`.',
    ended: 'Give the key’s workspace access to batch and to the model, then run the same command again.',
  },
  ProviderNotFound: {
    retry: 'no',
    meaning: 'The provider does not know the model, the file, the job or the address itself (404).',
    remedy:
      'Check MISTRAL_BASE_URL, which ends before `/v1`, and the model’s name; a file or job may have been deleted at the provider.',
  },
  ProviderRejected: {
    retry: 'no',
    meaning: 'The provider refused the request as invalid (400 or 422).',
    remedy: 'Read the provider’s words in the store’s refused-*.json, correct the settings, run again.',
  },
  ProviderQuota: {
    retry: 'no',
    meaning:
      'Billing or a quota stops new jobs (402, pending-request or quota 429). A shard waits and tries again slowly; 402 before the first job fails the batch.',
    remedy:
      'Enable batch billing, raise the quota or let other jobs end; `longhaul resume <batch id>` tries at once.',
    ended: 'Enable batch billing, raise the quota or let other jobs end, then run the same command again.',
  },
  ProviderRateLimited: {
    retry: 'yes',
    meaning: 'The provider asks for fewer calls (429); the call is repeated after the time it names.',
    remedy: 'Nothing. If it lasts, lower LONGHAUL_REQUESTS_PER_SECOND of the worker.',
    ended: 'Run the same command again later, with a lower LONGHAUL_REQUESTS_PER_SECOND of the worker.',
  },
  ProviderUnavailable: {
    retry: 'yes',
    meaning:
      'The provider could not be reached, answered with a server error or broke off an answer; nothing was changed there.',
    remedy: 'Nothing. If it lasts, check the network and MISTRAL_BASE_URL.',
    ended: 'Check the network and MISTRAL_BASE_URL, then run the same command again.',
  },
  ProviderAmbiguous: {
    retry: 'yes',
    meaning: 'A create or an upload may have happened; it is looked for before it is sent again.',
    remedy: 'Nothing: Longhaul waits until the provider’s list would show it.',
    ended: 'Run the same command again: it looks for what may have happened before it sends anything.',
  },
  ProviderContract: {
    retry: 'few',
    meaning: 'The provider’s answer does not fit its own documented shape.',
    remedy:
      'Check that MISTRAL_BASE_URL is the provider’s. If it is, report the answer, with the excerpt in the store if there is one; a newer Longhaul may know the shape.',
  },
  JobFailed: {
    retry: 'no',
    meaning: 'The provider ended the job without any answer.',
    remedy:
      'Read the job’s errors in the account.json that the message names, correct the rows or the model, run again.',
  },
  DeadlineExceeded: {
    retry: 'no',
    meaning: 'The batch’s own deadline passed; what was answered by then is kept.',
    remedy: 'Raise --deadline and run the same command again; only rows without success are sent.',
  },
  IntegrityMismatch: {
    retry: 'few',
    meaning: 'Counts, lengths or hashes of one file disagree between two places.',
    remedy:
      'If it lasts, the file named in the message was changed or cut; restore it or start with another --id.',
    ended:
      'Run the same command again. If that ends alike, the file named in the message was changed or cut; restore it or start with another --id.',
  },
  StorageUnavailable: {
    retry: 'yes',
    meaning: 'The store could not be read or written just now.',
    remedy: 'Check that the disk or the object store is reachable.',
    ended: 'Check that the disk or the object store is reachable, then run the same command again.',
  },
  StorageFull: {
    retry: 'yes',
    meaning: 'No space is left in the store or in the scratch folder.',
    remedy: 'Free space where the message says; `longhaul clean` shows what old batches take.',
    ended:
      'Free space where the message says (`longhaul clean` shows what old batches take), then run the same command again.',
  },
  StorageDenied: {
    retry: 'no',
    meaning: 'The store refused access.',
    remedy: 'Give the worker’s user read and write rights to the store, then run the same command again.',
  },
  StorageMismatch: {
    retry: 'no',
    meaning:
      'The store is not the one this batch was prepared in, or a part of it is gone, changed or in the way; the message says which.',
    remedy:
      'If it is another store, point every worker’s LONGHAUL_STORE at one. If a file is gone or changed, restore it, or start with another --id. If something is in the way, move it. Then run the same command again.',
  },
  AccountingMismatch: {
    retry: 'no',
    meaning: 'The rows do not add up. This is a bug in Longhaul; what was answered is left in the store.',
    remedy: 'Report it with the account files that the message names.',
  },
} as const satisfies Record<string, FailureDefinition>;

export type FailureType = keyof typeof definitions;

export const FAILURE_TYPES: { readonly [T in FailureType]: FailureDefinition } = definitions;

/**
 * What to do about a failure: while its batch is open, or once that has ended. The same command returns a batch that
 * ended `partial` as it is, unless it is told to send the unsuccessful rows again.
 */
export function remedyOf(type: FailureType, batch: 'open' | 'ended' | 'partial'): string {
  const { remedy, ended = remedy } = FAILURE_TYPES[type];
  if (batch === 'open') return remedy;
  const again = 'the same command again';
  return batch === 'ended' ? ended : ended.replace(again, `${again} with --retry`);
}

export function isFailureType(value: unknown): value is FailureType {
  return typeof value === 'string' && Object.hasOwn(FAILURE_TYPES, value);
}

/** Failures after which a shard waits for a person or for time, instead of ending. */
export function waitsFor(type: FailureType): 'auth' | 'quota' | null {
  if (type === 'ProviderAuth' || type === 'ProviderForbidden') return 'auth';
  return type === 'ProviderQuota' ? 'quota' : null;
}

export function isStorageFailure(type: FailureType): boolean {
  return type.startsWith('Storage');
}

/** Failures that no retry and no wait mends: without its store nothing of a batch can be asked or kept. */
export function isStoreLost(type: FailureType): boolean {
  return type === 'StorageMismatch' || type === 'StorageDenied';
}

/** Failures of a shard that every later shard would meet too. */
export function stopsBatch(type: FailureType): boolean {
  return isStorageFailure(type) || waitsFor(type) !== null;
}

/** What a manifest, an account and `--json` say about a failure: no stack, no rows, no provider bodies. */
export interface Failure {
  readonly type: FailureType;
  readonly message: string;
}
