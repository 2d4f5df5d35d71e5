import { Option } from 'commander';
import type { Command } from 'commander';
import { OUTCOMES } from '../batch/outcome.js';
import type { Outcome } from '../batch/outcome.js';
import { BATCH_PHASES } from '../batch/progress.js';
import type { BatchPhase } from '../batch/progress.js';
import type { BatchListEntry } from '../client/types.js';
import { openStore } from '../storage/open-store.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { formatCount, formatTable, formatTime } from './format.js';
import { withLink } from './link.js';
import { positiveIntegerOption } from './options.js';
import { findPrunable } from './prune-store.js';

interface ListOptions {
  readonly phase?: BatchPhase;
  readonly outcome?: Outcome;
  readonly limit: number;
  readonly json?: boolean;
}

export function addListCommand(program: Command): void {
  program
    .command('list')
    .description('List batches: open ones first, then the latest to end')
    .addOption(new Option('--phase <phase>', 'only those in this phase').choices(BATCH_PHASES))
    .addOption(new Option('--outcome <outcome>', 'only those that ended so').choices(OUTCOMES))
    .option('--limit <n>', 'at most so many', positiveIntegerOption, 50)
    .option('--json', 'print one JSON list')
    .addHelpText(
      'after',
      `
Examples:
  $ longhaul list
  $ longhaul list --phase running
  $ longhaul list --outcome partial --json | jq -r '.[].batchId'`,
    )
    .action(action(list));
}

async function list(context: CliContext, options: ListOptions): Promise<ExitCode> {
  const { output } = context;
  const { phase, outcome, limit } = options;
  return withLink(context, { need: 'none' }, async ({ longhaul }) => {
    const entries: BatchListEntry[] = [];
    // One more than is shown tells whether there are more.
    for await (const entry of longhaul.list({ phase, outcome, limit: limit + 1 })) entries.push(entry);
    const isCut = entries.length > limit;
    if (isCut) entries.pop();
    if (options.json === true) output.json(entries);
    else if (entries.length === 0) output.note(await noneText(context, options));
    else for (const line of listTable(entries)) output.line(line);
    if (isCut) output.note(`There are more; --limit ${limit * 2} shows more of them.`);
    return EXIT.done;
  });
}

/** Temporal lists batches. One that lost its database, or another one, has none, however many the store has. */
async function noneText({ storeUri }: CliContext, { phase, outcome }: ListOptions): Promise<string> {
  if (phase !== undefined || outcome !== undefined) return 'No such batches.';
  const stored = await findPrunable(openStore(storeUri), Date.now());
  if (stored.length === 0) return 'No batches.';
  return `Temporal knows of no batches. What the store has of them: \`longhaul clean --older-than 1s\` (removes nothing).`;
}

export function listTable(entries: readonly BatchListEntry[]): string[] {
  return formatTable(
    ['batch', 'state', 'rows', 'unsuccessful', 'model', 'started (UTC)'],
    entries.map((entry) => [
      entry.batchId,
      stateOf(entry),
      entry.rows === null ? '' : formatCount(entry.rows),
      entry.rowsFailed === null ? '' : formatCount(entry.rowsFailed),
      entry.model ?? '',
      formatTime(entry.startedAt),
    ]),
  );
}

/** The outcome, else the phase; a workflow that was ended from outside has no word of its own. */
function stateOf({ outcome, phase, status, closedAt }: BatchListEntry): string {
  if (outcome !== null) return outcome;
  return closedAt === null && phase !== null ? phase : status.toLowerCase().replaceAll('_', ' ');
}
