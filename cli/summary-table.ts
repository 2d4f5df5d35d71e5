import type { Manifest } from '../batch/manifest.js';
import { ROW_CLASSES } from '../batch/rows.js';
import type { RowCounts } from '../batch/rows.js';
import type { BatchAccount } from './batch-account.js';
import { formatBytes, formatCount, formatSpan, formatTable, formatTime } from './format.js';
import type { Paint } from './paint.js';
import { describeTrouble, wordsOf } from './trouble-words.js';

const MAX_JOBS = 20;

/** A batch for people: finished, or with live numbers. */
export function summaryTable(manifest: BatchAccount, now: number, paint: Paint): string[] {
  const facts: [string, string][] = [['batch', paint.bold(manifest.batchId)]];
  facts.push(
    manifest.outcome === null
      ? ['phase', paint.phase(manifest.phase)]
      : ['outcome', paintOutcome(manifest.outcome, paint)],
  );
  if (manifest.failure !== null) {
    facts.push(['failure', paint.bad(`${manifest.failure.type}: ${manifest.failure.message}`)]);
  }
  if (manifest.trouble !== undefined) {
    const words = wordsOf(manifest.trouble);
    facts.push(['trouble', paint.warn(`${describeTrouble(words)} (attempt ${words.attempt})`)]);
  }
  if (manifest.model !== null)
    facts.push(['model', `${manifest.model} ${manifest.endpoint ?? ''}`.trimEnd()]);
  facts.push(['rows', describeRows(manifest)]);
  const usage = Object.entries(manifest.usage);
  if (usage.length > 0) {
    facts.push(['usage', usage.map(([name, sum]) => `${formatCount(sum)} ${name}`).join(', ')]);
  }
  facts.push(['time', describeTime(manifest, now)]);
  if (manifest.results !== null) {
    facts.push(['results', `${manifest.results.uri} (${formatBytes(manifest.results.bytes)})`]);
  }
  if (manifest.errors !== null && manifest.errors.rows > 0) facts.push(['errors', manifest.errors.uri]);
  return [
    ...facts.map(([name, value]) => `${paint.dim(name.padEnd(8))} ${value}`),
    ...jobTable(manifest, now),
  ];
}

function paintOutcome(outcome: NonNullable<Manifest['outcome']>, paint: Paint): string {
  switch (outcome) {
    case 'succeeded':
      return paint.good(outcome);
    case 'failed':
      return paint.bad(outcome);
    default:
      return paint.warn(outcome);
  }
}

function describeRows({ rows, outcome }: Manifest): string {
  return `${formatCount(rows.total)}: ${describeClasses(rows, outcome !== null)}`;
}

function describeClasses(rows: RowCounts, ended: boolean): string {
  const classes = ROW_CLASSES.filter((name) => rows[name] > 0 || name === 'succeeded').map(
    (name) => `${formatCount(rows[name])} ${name}`,
  );
  const unanswered = rows.total - ROW_CLASSES.reduce((sum, name) => sum + rows[name], 0);
  if (!ended && unanswered > 0) classes.push(`${formatCount(unanswered)} unanswered`);
  return classes.join(', ');
}

function describeTime({ startedAt, finishedAt }: Manifest, now: number): string {
  const end = finishedAt === null ? now : Date.parse(finishedAt);
  const span = formatSpan(end - Date.parse(startedAt));
  return finishedAt === null
    ? `${span}, since ${formatTime(startedAt)} UTC`
    : `${span}, until ${formatTime(finishedAt)} UTC`;
}

function jobTable({ jobs }: Manifest, now: number): string[] {
  if (jobs.length === 0) return [];
  const shown = jobs.slice(0, MAX_JOBS);
  const table = formatTable(
    ['shard', 'round', 'job', 'status', 'rows', 'succeeded', 'failed', 'time'],
    shown.map((job) => [
      String(job.shard),
      String(job.round),
      job.jobId,
      job.duplicate === true ? `${job.status} (duplicate)` : job.status,
      formatCount(job.requests),
      formatCount(job.succeeded),
      formatCount(job.failed),
      formatSpan((job.completedAt === null ? now : Date.parse(job.completedAt)) - Date.parse(job.createdAt)),
    ]),
  );
  const more = jobs.length - shown.length;
  return ['', ...table, ...(more > 0 ? [`and ${formatCount(more)} more; see the manifest`] : [])];
}
