import { isTerminal } from './job-phase.js';
import type { JobPhase } from './job-phase.js';

/**
 * What `longhaul doctor --orphans` makes of a job or file that carries a Longhaul key and belongs to no batch of the
 * store. The account may be shared: what another store's batches use looks just the same from here, so nothing is
 * touched that is not provably ours, unless a person names its batch.
 */

/** Why nothing in the store owns it. */
export type OrphanReason =
  /** Its round keeps another job, or its job another file. */
  | 'duplicate'
  /** Its round has no job on record: the same command would adopt it. */
  | 'unrecorded'
  /** The store knows its batch, and no round with its key. */
  | 'unknown-round'
  /** The store knows no batch of its name: lost here, or of another store. */
  | 'unknown-batch'
  /** Nothing tells which batch it is of. */
  | 'unknown-owner';

export type OrphanAction =
  | 'cancel'
  | 'delete'
  /** The job has ended or is ending: there is nothing to cancel, and jobs are never deleted. */
  | 'none'
  /** Its batch is open in Temporal and may be about to use it. */
  | 'keep-open'
  /** A job that has not ended reads the file. */
  | 'keep-in-use'
  /** It may be of another store: only `--batch` makes it ours. */
  | 'keep-foreign';

/** What the store knows of a key. */
export interface KeyOwner {
  readonly batchId: string;
  /** Whether the round's job is on record. */
  readonly recorded: boolean;
}

/** Of a job, or of a file whose round has a job on record or is not known. */
export function orphanReason(facts: {
  readonly owner: KeyOwner | null;
  readonly batchId: string | null;
  readonly batchKnown: boolean;
}): OrphanReason {
  const { owner, batchId, batchKnown } = facts;
  if (owner !== null) return owner.recorded ? 'duplicate' : 'unrecorded';
  if (batchId === null) return 'unknown-owner';
  return batchKnown ? 'unknown-round' : 'unknown-batch';
}

/** What of an orphan decides whether it may be touched. */
export interface Standing {
  /** A run of the batch that this Temporal knows has made it. */
  readonly ours: boolean;
  /** `--batch` names its batch. */
  readonly named: boolean;
  /** Its batch is open in this Temporal. */
  readonly open: boolean;
}

export function jobAction(phase: JobPhase, { ours, named, open }: Standing): OrphanAction {
  if (isTerminal(phase) || phase === 'cancelling') return 'none';
  if (open) return 'keep-open';
  return ours || named ? 'cancel' : 'keep-foreign';
}

export function fileAction(inUse: boolean, { ours, named, open }: Standing): OrphanAction {
  if (inUse) return 'keep-in-use';
  if (open) return 'keep-open';
  return ours || named ? 'delete' : 'keep-foreign';
}

const INPUT_FILE = /^longhaul-([0-9a-f]{64})\.jsonl$/;

/** Name of a round's input at the provider. */
export function inputFileName(key: string): string {
  return `longhaul-${key}.jsonl`;
}

/** The key in such a name; null for other names. */
export function keyOfInputFile(name: string): string | null {
  return INPUT_FILE.exec(name)?.[1] ?? null;
}
