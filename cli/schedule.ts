import type { Command } from 'commander';
import { addScheduleEditCommands } from './schedule-edit.js';
import { addScheduleLookCommands } from './schedule-look.js';
import { addScheduleRunCommands } from './schedule-run.js';

export function addScheduleCommand(program: Command): void {
  const schedule = program
    .command('schedule')
    .description('Start batches at set times')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Each batch of a schedule has the id <schedule id>-<scheduled time>, and reads the input anew.

Examples:
  $ longhaul schedule create nightly --cron "0 2 * * *" --timezone Europe/Paris /data/new.jsonl \\
      --endpoint /v1/chat/completions --model mistral-small-latest
  $ longhaul schedule list
  $ longhaul schedule trigger nightly`,
    );
  addScheduleEditCommands(schedule);
  addScheduleLookCommands(schedule);
  addScheduleRunCommands(schedule);
}
