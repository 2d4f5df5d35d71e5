import type { Command } from 'commander';
import type { ScheduleDetails, ScheduleEntry } from '../client/types.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { formatTable, formatTime } from './format.js';
import { withLink } from './link.js';

interface LookOptions {
  readonly json?: boolean;
}

export function addScheduleLookCommands(schedule: Command): void {
  schedule
    .command('list')
    .description('List schedules')
    .option('--json', 'print one JSON list')
    .addHelpText('after', '\nExamples:\n  $ longhaul schedule list --json')
    .action(action(list));
  schedule
    .command('describe')
    .description('Show a schedule, its next times and its last batches')
    .argument('<schedule id>')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  $ longhaul schedule describe nightly')
    .action(action(describe));
}

async function list(context: CliContext, options: LookOptions): Promise<ExitCode> {
  const { output } = context;
  return withLink(context, { need: 'none' }, async ({ longhaul }) => {
    const entries: ScheduleEntry[] = [];
    for await (const entry of longhaul.schedules.list()) entries.push(entry);
    if (options.json === true) output.json(entries);
    else if (entries.length === 0) output.note('No schedules.');
    else for (const line of scheduleTable(entries)) output.line(line);
    return EXIT.done;
  });
}

function scheduleTable(entries: readonly ScheduleEntry[]): string[] {
  return formatTable(
    ['schedule', 'state', 'next (UTC)', 'last batch', 'note'],
    entries.map(({ scheduleId, paused, nextTimes, recentBatches, note }) => [
      scheduleId,
      paused ? 'paused' : 'active',
      paused ? '' : formatTime(nextTimes[0] ?? ''),
      recentBatches.at(-1)?.batchId ?? '',
      note ?? '',
    ]),
  );
}

async function describe(context: CliContext, scheduleId: string, options: LookOptions): Promise<ExitCode> {
  const { output } = context;
  return withLink(context, { need: 'none' }, async ({ longhaul }) => {
    const details = await longhaul.schedules.describe(scheduleId);
    if (options.json === true) output.json(details);
    else {
      for (const line of detailLines(details)) output.line(line);
      if (details.paused) output.note(`Go on with: longhaul schedule resume ${scheduleId}`);
    }
    return EXIT.done;
  });
}

export function detailLines(details: ScheduleDetails): string[] {
  const { input, nextTimes, recentBatches, runningBatches } = details;
  const facts: [string, string][] = [
    ['schedule', details.scheduleId],
    ['state', details.paused ? 'paused' : 'active'],
    ...(details.note === null || details.note === ''
      ? []
      : ([['note', details.note]] satisfies [string, string][])),
    // Somebody else's tool may have changed it to what this version can't read.
    ['input', input?.input.uri ?? 'not readable'],
    ...(input === null ? [] : ([['model', `${input.model} ${input.endpoint}`]] satisfies [string, string][])),
    ['when', whenOf(details)],
    ['overlap', details.overlap],
    ['created', `${formatTime(details.createdAt)} UTC`],
    ['next', details.paused ? 'none while it is paused' : nextOf(nextTimes)],
    ['running', runningBatches.length === 0 ? 'none' : runningBatches.join(', ')],
    ['recent', recentBatches.length === 0 ? 'none' : recentBatches.map(({ batchId }) => batchId).join(', ')],
  ];
  return facts.map(([name, value]) => `${name.padEnd(9)} ${value}`);
}

function whenOf({ cron, every, timezone }: ScheduleDetails): string {
  if (cron !== null) return `${cron} (${timezone})`;
  return every === null ? 'set by another tool' : `every ${every}`;
}

function nextOf(times: readonly string[]): string {
  return times.length === 0 ? 'never' : `${times.slice(0, 5).map(formatTime).join(', ')} UTC`;
}
