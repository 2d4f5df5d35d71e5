import { isPoint, pointName, STEPS, VICTIMS } from './matrix.js';
import type { Step, Victim } from './matrix.js';

/** What one point came to; `point` is null for a series of kills at random. */
export interface Kept {
  readonly point: string | null;
  /** Creates that were sent to the provider, and those that it accepted, in the whole batch. */
  readonly sent: number;
  readonly accepted: number;
}

const BEGIN = '<!-- crash matrix: written by `npm run chaos -- --write` -->';
const END = '<!-- end of the crash matrix -->';

const HEADINGS: { readonly [V in Victim]: string } = {
  worker: 'worker',
  server: 'Temporal server',
  both: 'worker and server',
  command: 'command, then run again',
  all: 'all at once, then run again',
};

/** Jobs that the batch of the matrix needs: two shards, and two rounds unless it is cancelled. */
function jobsOf({ story }: Step): number {
  return story === 'cancelled' ? 2 : 4;
}

/** And creates that the story has without a kill: one of them is refused for now. */
function createsOf(step: Step): number {
  return jobsOf(step) + Number(step.story === 'refused');
}

function cell(step: Step, victim: Victim, kept: ReadonlyMap<string, Kept> | null): string {
  if (!isPoint(step, victim)) return '–';
  if (kept === null) return 'not run yet';
  const found = kept.get(pointName(step, victim));
  if (found === undefined) throw new Error(`the run says nothing of "${pointName(step, victim)}"`);
  const { sent, accepted } = found;
  const jobs = jobsOf(step);
  const spare = accepted - jobs;
  if (spare > 0) return `kept; ${accepted} jobs, ${spare} cancelled and listed`;
  return sent === createsOf(step) ? 'kept' : `kept; ${sent} creates, ${jobs} jobs`;
}

/** The section between the markers; null: the points alone, none of them run. */
export function chaosTable(
  run: { readonly results: readonly Kept[]; readonly commit: string } | null,
): string {
  const points = (run?.results ?? []).flatMap((result) =>
    result.point === null ? [] : [[result.point, result] as const],
  );
  const kept = run === null ? null : new Map(points);
  const series = (run?.results ?? []).length - points.length;
  const rows = STEPS.map((step) =>
    [step.name, ...VICTIMS.map((victim) => cell(step, victim, kept))].join(' | '),
  );
  return `${BEGIN}

${
  run === null
    ? 'No full run has been written down yet.'
    : `Last full run: commit \`${run.commit}\`, ${points.length} points and ${series} series of kills at random, all kept.`
}

| killed at | ${VICTIMS.map((victim) => HEADINGS[victim]).join(' | ')} |
| --- | ${VICTIMS.map(() => '---').join(' | ')} |
${rows.map((row) => `| ${row} |`).join('\n')}

${END}`;
}

/** The page with that section instead of its own. */
export function withChaosTable(page: string, table: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from) throw new Error(`the page has no "${BEGIN}" … "${END}"`);
  return page.slice(0, from) + table + page.slice(to + END.length);
}
