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

function cell(step: Step, victim: Victim, kept: ReadonlyMap<string, Kept>): string {
  if (!isPoint(step, victim)) return '–';
  const found = kept.get(pointName(step, victim));
  if (found === undefined) throw new Error(`the run says nothing of "${pointName(step, victim)}"`);
  const { sent, accepted } = found;
  const jobs = jobsOf(step);
  const spare = accepted - jobs;
  if (spare > 0) return `kept; ${accepted} jobs, ${spare} cancelled and listed`;
  return sent === jobs ? 'kept' : `kept; ${sent} creates, ${jobs} jobs`;
}

/** The section between the markers. */
export function chaosTable(results: readonly Kept[], commit: string): string {
  const kept = new Map(
    results.flatMap((result) => (result.point === null ? [] : [[result.point, result] as const])),
  );
  const series = results.length - kept.size;
  const rows = STEPS.map((step) =>
    [step.name, ...VICTIMS.map((victim) => cell(step, victim, kept))].join(' | '),
  );
  return `${BEGIN}

Last full run: commit \`${commit}\`, ${kept.size} points and ${series} series of kills at random, all kept.

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
