import type { BatchProgress, JobProgress } from '../batch/progress.js';
import { formatCount, formatSpan, formatTable, plural } from './format.js';
import type { Paint } from './paint.js';
import { phaseHint } from './phase-hint.js';

export interface TroubleView {
  readonly message: string;
  /** Of the next or the running attempt. */
  readonly attempt: number;
}

/** What is shown of a batch that runs. */
export interface ProgressView {
  readonly progress: BatchProgress;
  readonly rowsPerSecond: number | null;
  readonly leftMs: number | null;
  /** Why work does not advance, when it does not: something that failed and is tried again. */
  readonly trouble: TroubleView | null;
}

const MAX_JOB_LINES = 8;
const MAX_BAR = 40;

/** The live block on a terminal: lines of at most `width` columns, never more than a dozen. */
export function renderBlock(view: ProgressView, width: number, paint: Paint): string[] {
  const { progress } = view;
  const { phase, rows, jobs, batchId } = progress;
  const lines = [`${paint.bold(clip(batchId, width - phase.length - 2))}  ${paint.phase(phase)}`];
  if (rows.total > 0) lines.push(barLine(view, width, paint));
  const facts = factsOf(view);
  if (facts !== '') lines.push(paint.dim(clip(`  ${facts}`, width)));
  for (const line of jobLines(jobs)) lines.push(paint.dim(clip(`  ${line}`, width)));
  const hint = phaseHint(phase, batchId);
  if (hint !== null) lines.push(paint.warn(clip(`  ${hint}`, width)));
  if (view.trouble !== null) lines.push(paint.warn(clip(`  ${describeTrouble(view.trouble)}`, width)));
  return lines;
}

function barLine({ progress }: ProgressView, width: number, paint: Paint): string {
  const { rows, rowsDone } = progress;
  const share = rowsDone / rows.total;
  // Rounded down: 100 % is said only when all is done.
  const numbers = `${formatCount(rowsDone)} / ${formatCount(rows.total)} rows  ${Math.floor(share * 100)} %`;
  const size = Math.max(0, Math.min(MAX_BAR, width - numbers.length - 4));
  const full = Math.floor(size * share);
  return `  ${paint.bar('━'.repeat(full))}${paint.dim('─'.repeat(size - full))}  ${numbers}`;
}

function factsOf({ progress, rowsPerSecond, leftMs }: ProgressView): string {
  const { rows, shards } = progress;
  const unsuccessful = rows.failed + rows.invalid + rows.cancelled + rows.expired + rows.missing;
  return [
    ...(rowsPerSecond === null ? [] : [`${formatRate(rowsPerSecond)} rows/s`]),
    ...(leftMs === null || progress.phase !== 'running' ? [] : [`about ${formatSpan(leftMs)} left`]),
    ...(shards.total > 1 ? [`${shards.done} of ${plural(shards.total, 'shard')} done`] : []),
    ...(unsuccessful === 0 ? [] : [`${plural(unsuccessful, 'row')} without success so far`]),
  ].join(' · ');
}

function jobLines(jobs: readonly JobProgress[]): string[] {
  const shown = byShard(jobs).slice(0, MAX_JOB_LINES);
  const rows = shown.map(({ shard, round, jobId, status, completed, requests }) => [
    `shard ${shard}`,
    `round ${round}`,
    status,
    `${formatCount(completed)}/${formatCount(requests)}`,
    jobId,
  ]);
  // The header is for its widths only.
  const [, ...lines] = formatTable(['', '', '', '', ''], rows);
  const more = jobs.length - shown.length;
  return more > 0 ? [...lines, `and ${plural(more, 'more job')}`] : lines;
}

function byShard(jobs: readonly JobProgress[]): JobProgress[] {
  return jobs.toSorted((a, b) => a.shard - b.shard);
}

function describeTrouble({ message, attempt }: TroubleView): string {
  return `attempt ${attempt}: ${message}`;
}

function formatRate(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate));
}

function clip(text: string, width: number): string {
  const room = Math.max(1, width);
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** A plain line for logs and pipes: what changed since the last one, or null when nothing worth a line did. */
export function plainLine(view: ProgressView, before: ProgressView | null): string | null {
  const { progress } = view;
  if (before !== null && !isWorthALine(view, before)) return null;
  const { phase, rows, rowsDone, jobs, batchId } = progress;
  const parts: string[] = [phase];
  if (rows.total > 0) parts.push(`${formatCount(rowsDone)} of ${formatCount(rows.total)} rows`);
  parts.push(
    ...byShard(jobs).map(
      ({ jobId, status, shard, round }) => `shard ${shard} round ${round} ${status} ${jobId}`,
    ),
  );
  const hint = phaseHint(phase, batchId);
  if (hint !== null) parts.push(hint);
  if (view.trouble !== null) parts.push(view.trouble.message);
  return `${batchId}: ${parts.join(', ')}`;
}

function isWorthALine(view: ProgressView, before: ProgressView): boolean {
  const facts = ({ progress, trouble }: ProgressView): string =>
    JSON.stringify([
      progress.phase,
      progress.rows.total,
      byShard(progress.jobs).map(({ jobId, status }) => [jobId, status]),
      // A line for each attempt would fill the log of a long outage.
      trouble?.message,
      tenths(progress),
    ]);
  return facts(view) !== facts(before);
}

/** A line per tenth of the rows: a day's batch fits a screen. */
function tenths({ rows, rowsDone }: BatchProgress): number {
  return rows.total === 0 ? 0 : Math.floor((rowsDone / rows.total) * 10);
}
