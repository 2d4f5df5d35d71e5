import { Option } from 'commander';
import type { Command } from 'commander';
import { OVERLAP_POLICIES } from '../client/types.js';
import type { OverlapPolicy, ScheduleDetails, ScheduleOptions } from '../client/types.js';
import { addInputRoot } from '../worker/input-roots.js';
import { scheduleSpec } from '../client/schedule-spec.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { formatTime } from './format.js';
import { assertHasRows, openInputSource } from './input-source.js';
import { withLink } from './link.js';
import { durationOption, newScheduleIdArgument } from './options.js';
import { assertProviderTakesBatch } from './provider-check.js';
import { addBatchOptions, addRequiredOptions, checkBatchOptions } from './run-options.js';
import type { BatchCommandOptions } from './run-options.js';

interface EditOptions extends BatchCommandOptions {
  readonly cron?: string;
  readonly every?: string;
  readonly timezone?: string;
  readonly overlap: OverlapPolicy;
  readonly note?: string;
  readonly json?: boolean;
}

export function addScheduleEditCommands(schedule: Command): void {
  addEdit(schedule, 'create', 'Create a schedule')
    .addHelpText('after', examples('create'))
    .action(action(editor('create')));
  addEdit(schedule, 'apply', 'Create a schedule, or make it as given')
    .addHelpText('after', examples('apply'))
    .action(action(editor('apply')));
  schedule
    .command('delete')
    .description('Delete a schedule; batches that it started go on')
    .argument('<schedule id>')
    .option('--json', 'print the outcome as one JSON document')
    .addHelpText('after', '\nExamples:\n  $ longhaul schedule delete nightly')
    .action(action(remove));
}

function addEdit(schedule: Command, name: string, description: string): Command {
  const command = schedule
    .command(name)
    .description(description)
    .argument('<schedule id>', 'begins the ids of its batches', newScheduleIdArgument)
    .argument('<input>', 'JSONL file or URI that workers can read at each run');
  addRequiredOptions(command)
    .option('--cron <expression>', 'five fields, such as "0 2 * * *", or @daily')
    .option('--every <duration>', 'such as 1h', durationOption)
    .option('--timezone <name>', 'of --cron, such as Europe/Paris (default: UTC)')
    .addOption(
      new Option('--overlap <policy>', 'when the last batch still runs')
        .choices(OVERLAP_POLICIES)
        .default('buffer-one'),
    )
    .option('--note <text>', 'for people who look at it')
    .option('--json', 'print the outcome as one JSON document');
  return addBatchOptions(command);
}

function examples(name: string): string {
  return `
A batch starts where day of month and day of week both match, other than in Unix's cron: "0 2 13 * FRI" is Friday the 13th.

Examples:
  $ longhaul schedule ${name} nightly --cron "0 2 * * *" --timezone Europe/Paris /data/new.jsonl \\
      --endpoint /v1/chat/completions --model mistral-small-latest
  $ longhaul schedule ${name} hourly --every 1h /data/new.jsonl --endpoint /v1/embeddings --model mistral-embed`;
}

function editor(kind: 'create' | 'apply') {
  return async (
    context: CliContext,
    scheduleId: string,
    input: string,
    options: EditOptions,
  ): Promise<ExitCode> => {
    const definition = await define(context, input, options);
    return withLink(context, { need: 'none' }, async ({ longhaul: { schedules } }) => {
      const done = kind === 'apply' ? await schedules.apply(scheduleId, definition) : 'created';
      if (kind === 'create') await schedules.create(scheduleId, definition);
      if (options.json === true) context.output.json({ scheduleId, done });
      else {
        context.output.note(`${scheduleId} is ${done}.`);
        context.output.note(nextStep(await schedules.describe(scheduleId)));
      }
      if (context.mode === 'embedded') {
        context.output.note('It fires only while `longhaul dev` or `longhaul worker` runs in this folder.');
      }
      return EXIT.done;
    });
  };
}

function nextStep({ scheduleId, paused, nextTimes }: ScheduleDetails): string {
  if (paused) return `It is paused. Go on with: longhaul schedule resume ${scheduleId}`;
  const [next] = nextTimes;
  return next === undefined ? 'It has no next time.' : `Its next batch starts at ${formatTime(next)} UTC.`;
}

async function define(context: CliContext, input: string, options: EditOptions): Promise<ScheduleOptions> {
  const { cron, every, timezone, overlap, note } = options;
  if ((cron === undefined) === (every === undefined)) throw new CliError('Give either --cron or --every.');
  if (every !== undefined && timezone !== undefined) {
    throw new CliError('--timezone is for --cron: an interval is the same in all of them.');
  }
  // What the client would refuse anyway, before a server is started for it.
  scheduleSpec({ cron, every, timezone });
  const { batch, parsed } = checkBatchOptions(options);
  assertProviderTakesBatch(parsed);
  return { ...batch, input: await placeInput(context, input), cron, every, timezone, overlap, note };
}

/** Each run reads the input anew, so it stays where it is: a file that a worker can't see is only found then. */
async function placeInput(context: CliContext, input: string): Promise<string> {
  if (input === '-') throw new CliError('A schedule reads its input at each run, so it can’t be stdin.');
  const source = await openInputSource(input, context.config.home);
  await assertHasRows(input, source);
  if (context.mode === 'configured') {
    if (source.folder !== null) {
      context.output.note(
        `Each worker must be able to read ${source.location}; its folder must be in their LONGHAUL_FILE_ROOTS.`,
      );
    }
    return source.location;
  }
  if (source.folder !== null) await addInputRoot(context.config.home, source.folder);
  return source.location;
}

async function remove(
  context: CliContext,
  scheduleId: string,
  options: { json?: boolean },
): Promise<ExitCode> {
  return withLink(context, { need: 'none' }, async ({ longhaul }) => {
    await longhaul.schedules.delete(scheduleId);
    if (options.json === true) context.output.json({ scheduleId, done: 'deleted' });
    else context.output.note(`${scheduleId} is deleted.`);
    return EXIT.done;
  });
}
