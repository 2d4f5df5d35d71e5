import { Option } from 'commander';
import type { Command } from 'commander';
import { OVERLAP_POLICIES } from '../client/types.js';
import type { OverlapPolicy, Schedules } from '../client/types.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { withLink } from './link.js';
import { timeOption } from './options.js';

interface ControlOptions {
  readonly note?: string;
  readonly json?: boolean;
}

interface BackfillOptions {
  readonly start: Date;
  readonly end: Date;
  readonly overlap: OverlapPolicy;
  readonly json?: boolean;
}

export function addScheduleRunCommands(schedule: Command): void {
  addControl(schedule, 'pause', 'Start no more batches of a schedule').action(
    action(control('paused', (schedules, id, note) => schedules.pause(id, note))),
  );
  addControl(schedule, 'resume', 'Go on with a paused schedule').action(
    action(control('active', (schedules, id, note) => schedules.resume(id, note))),
  );
  schedule
    .command('trigger')
    .description('Start a batch of a schedule now')
    .argument('<schedule id>')
    .option('--json', 'print {"scheduleId", "batchId"}')
    .addHelpText('after', '\nExamples:\n  $ longhaul schedule trigger nightly')
    .action(action(trigger));
  schedule
    .command('backfill')
    .description('Start the batches that a schedule would have started between two times')
    .argument('<schedule id>')
    .requiredOption('--start <time>', 'such as 2026-11-01T00:00:00Z', timeOption)
    .requiredOption('--end <time>', 'such as 2026-11-08T00:00:00Z', timeOption)
    .addOption(
      new Option('--overlap <policy>', 'when a batch still runs')
        .choices(OVERLAP_POLICIES)
        .default('buffer-all'),
    )
    .option('--json', 'print the outcome as one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  $ longhaul schedule backfill nightly --start 2026-11-01T00:00:00Z --end 2026-11-08T00:00:00Z',
    )
    .action(action(backfill));
}

function addControl(schedule: Command, name: string, description: string): Command {
  return schedule
    .command(name)
    .description(description)
    .argument('<schedule id>')
    .option('--note <text>', 'for people who look at it')
    .option('--json', 'print the outcome as one JSON document')
    .addHelpText('after', `\nExamples:\n  $ longhaul schedule ${name} nightly`);
}

function control(state: string, ask: (schedules: Schedules, id: string, note?: string) => Promise<void>) {
  return async (context: CliContext, scheduleId: string, options: ControlOptions): Promise<ExitCode> =>
    withLink(context, { need: 'none' }, async ({ longhaul }) => {
      await ask(longhaul.schedules, scheduleId, options.note);
      if (options.json === true) context.output.json({ scheduleId, state });
      else context.output.note(`${scheduleId} is ${state}.`);
      return EXIT.done;
    });
}

async function trigger(context: CliContext, scheduleId: string, options: ControlOptions): Promise<ExitCode> {
  const { output } = context;
  return withLink(context, { need: 'none' }, async ({ longhaul }) => {
    const batchId = await longhaul.schedules.trigger(scheduleId);
    if (options.json === true) output.json({ scheduleId, batchId });
    output.note(`Started ${batchId}.`);
    output.note(`Attach to it: longhaul wait ${batchId}`);
    return EXIT.done;
  });
}

async function backfill(
  context: CliContext,
  scheduleId: string,
  options: BackfillOptions,
): Promise<ExitCode> {
  const { start, end, overlap } = options;
  if (start >= end) throw new CliError('--start must be before --end.');
  return withLink(context, { need: 'none' }, async ({ longhaul }) => {
    await longhaul.schedules.backfill(scheduleId, { start, end, overlap });
    if (options.json === true) context.output.json({ scheduleId, state: 'backfilling' });
    else
      context.output.note(
        `${scheduleId} runs its times from ${start.toISOString()} to ${end.toISOString()}.`,
      );
    return EXIT.done;
  });
}
