import type { BatchProgress, JobProgress } from '../batch/progress.js';
import { formatCount, formatSpan, formatTable, plural } from './format.js';
import type { Paint } from './paint.js';
import { phaseHint } from './phase-hint.js';
import { describeTrouble } from './trouble-words.js';
import type { TroubleWords } from './trouble-words.js';

/** What is shown of a batch that runs. */
export interface ProgressView {
  readonly progress: BatchProgress;
  readonly rowsPerSecond: number | null;
  readonly leftMs: number | null;
  /** Why work does not advance, when it does not: something that failed and is tried again. */
  readonly trouble: TroubleWords | null;
}

const MAX_JOB_LINES = 8;
const MAX_BAR = 40;

/** The live block on a terminal: lines of at most `width` columns, never more than sixteen. */
export function renderBlock(view: ProgressView, width: number, paint: Paint): string[] {
  const { progress } = view;
  const { phase, rows, jobs, batchId } = progress;
  const lines = [`${paint.bold(clip(batchId, width - phase.length - 2))}  ${paint.phase(phase)}`];
  if (rows.total > 0) lines.push(barLine(view, width, paint));
  const facts = factsOf(view);
  if (facts !== '') lines.push(paint.dim(clip(`  ${facts}`, width)));
  for (const line of jobLines(jobs)) lines.push(paint.dim(clip(`  ${line}`, width)));
  const hint = phaseHint(phase, batchId);
  const warnings = [
    ...(hint === null ? [] : [hint]),
    ...(view.trouble === null ? [] : [`attempt ${view.trouble.attempt}: ${describeTrouble(view.trouble)}`]),
  ];
  for (const text of warnings)
    for (const line of folded(text, width - 2)) lines.push(paint.warn(`  ${line}`));
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

function formatRate(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate));
}

function clip(text: string, width: number): string {
  const room = Math.max(1, width);
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** A text in at most two lines, broken between words: on a narrow terminal its end says what to do. */
function folded(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const at = text.lastIndexOf(' ', width);
  const end = at > 0 ? at : width;
  return [text.slice(0, end), clip(text.slice(end).trimStart(), width)];
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
  if (view.trouble !== null) parts.push(describeTrouble(view.trouble));
  return `${batchId}: ${parts.join(', ')}`;
}

function isWorthALine(view: ProgressView, before: ProgressView): boolean {
  const facts = ({ progress, trouble }: ProgressView): string =>
    JSON.stringify([
      progress.phase,
      progress.rows.total,
      byShard(progress.jobs).map(({ jobId, status }) => [jobId, status]),
      // A line for each attempt would fill the log of a long outage.
      trouble?.what,
      tenths(progress),
    ]);
  return facts(view) !== facts(before);
}

/** A line per tenth of the rows: a day's batch fits a screen. */
function tenths({ rows, rowsDone }: BatchProgress): number {
  return rows.total === 0 ? 0 : Math.floor((rowsDone / rows.total) * 10);
}

/** What stops a batch or lets it go on, for who wants no progress; null when that is as it was. */
export function troubleLine(view: ProgressView, before: ProgressView | null): string | null {
  const now = stopOf(view);
  const then = before === null ? null : stopOf(before);
  if (now?.kind === then?.kind) return null;
  const { batchId, phase } = view.progress;
  if (now !== null) return `${batchId}: ${now.text}`;
  return phase === 'done' ? null : `${batchId} goes on`;
}

function stopOf({
  progress,
  trouble,
}: ProgressView): { readonly kind: string; readonly text: string } | null {
  const { phase, batchId } = progress;
  if (phase === 'paused' || phase.startsWith('waiting-for-')) {
    return { kind: phase, text: `${phase}, ${phaseHint(phase, batchId) ?? ''}` };
  }
  return trouble === null ? null : { kind: trouble.what, text: describeTrouble(trouble) };
}
