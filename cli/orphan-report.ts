import type { OrphanAction, OrphanReason } from '../batch/orphans.js';
import { plural, visible } from './format.js';
import type { OrphanEnd, OrphanFix } from './orphan-fix.js';
import type { OrphanFile, OrphanJob } from './orphan-search.js';
import type { Output } from './output.js';

/** Says each orphan as it is found: an account may have more than fit into memory. */
export interface OrphanReport {
  job(job: OrphanJob, end: OrphanEnd): void;
  file(file: OrphanFile, end: OrphanEnd): void;
  /** `more` is for what a failure has to say. */
  end(fix: OrphanFix, more: Readonly<Record<string, unknown>>): void;
}

const REASONS: { readonly [R in OrphanReason]: string } = {
  duplicate: 'another one is kept in its place',
  unrecorded: 'its round has no job on record; the same `longhaul run` would adopt it',
  'unknown-round': 'the store has its batch, and no round of it',
  'unknown-batch': 'the store has no such batch',
  'unknown-owner': 'nothing says which batch it is of',
};

const ACTIONS: { readonly [A in OrphanAction]: string } = {
  cancel: 'would be cancelled',
  delete: 'would be deleted',
  none: 'nothing to cancel, it has ended or is ending',
  'keep-open': 'kept, its batch is open',
  'keep-in-use': 'kept, a job that has not ended reads it',
  'keep-foreign': 'kept, it may be another store’s; only --batch <id> names it as yours',
};

function endText({ action, batchId }: OrphanJob | OrphanFile, end: OrphanEnd): string {
  if (end.kind === 'done') return action === 'delete' ? 'deleted' : 'cancelled';
  if (end.kind === 'kept-open') return ACTIONS['keep-open'];
  if (end.kind === 'kept-recorded') return 'kept, its batch has it on record by now';
  if (end.kind === 'failed') return `FAILED: ${end.message}`;
  return batchId === null ? ACTIONS[action] : ACTIONS[action].replace('<id>', () => visible(batchId));
}

export function textReport(output: Pick<Output, 'line' | 'note'>): OrphanReport {
  const say = (what: string, orphan: OrphanJob | OrphanFile, end: OrphanEnd) => {
    const { batchId, reason } = orphan;
    output.line(
      `${what}\n      batch ${batchId === null ? 'unknown' : visible(batchId)}: ${REASONS[reason]}\n      ${endText(orphan, end)}`,
    );
  };
  return {
    job: (job, end) => say(`job   ${visible(job.jobId)}  ${visible(job.status)}  ${job.createdAt}`, job, end),
    file: (file, end) => say(`file  ${visible(file.fileId)}  ${visible(file.name)}`, file, end),
    end: (fix) => output.note(summary(fix)),
  };
}

function summary({ acts, seen, cancels, deletes, failures }: OrphanFix): string {
  if (seen === 0) return 'No orphans.';
  const jobs = plural(cancels, 'job');
  const files = plural(deletes, 'file');
  if (!acts) {
    const hint = cancels + deletes > 0 ? ' The same with --fix --yes does that.' : '';
    return `${jobs} would be cancelled and ${files} deleted. Nothing was changed.${hint}`;
  }
  const failed = failures > 0 ? `, ${failures} FAILED` : '';
  return `${jobs} cancelled, ${files} deleted${failed}.`;
}

/** One document, written piece by piece. */
export function jsonReport(output: Pick<Output, 'line'>): OrphanReport {
  let part: 'jobs' | 'files' | null = null;
  const enter = (next: 'jobs' | 'files'): string => {
    if (part === next) return ',';
    const before = part === null ? '{"jobs":[' : '],"files":[';
    const opening = part === null && next === 'files' ? '{"jobs":[],"files":[' : before;
    part = next;
    return opening;
  };
  const item = (next: 'jobs' | 'files', orphan: object, end: OrphanEnd) => {
    const error = end.kind === 'failed' ? { error: end.message } : {};
    output.line(`${enter(next)}${JSON.stringify({ ...orphan, done: end.kind === 'done', ...error })}`);
  };
  return {
    job: (job, end) => item('jobs', job, end),
    file: (file, end) => item('files', file, end),
    end: ({ acts, cancels, deletes, failures }, more) => {
      const opening = part === 'files' ? '' : enter('files');
      const rest = JSON.stringify({ fixed: acts, cancels, deletes, failures, ...more });
      output.line(`${opening}],${rest.slice(1)}`);
    },
  };
}
