import { Command } from 'commander';
import { RELEASE } from '../dev/release.js';
import { addCancelCommand } from './cancel.js';
import { addCleanCommand } from './clean.js';
import { addDevCommand } from './dev.js';
import { addDoctorCommand } from './doctor.js';
import { addEmulatorCommand } from './emulator.js';
import { addListCommand } from './list.js';
import { addPauseCommand } from './pause.js';
import { addResultsCommand } from './results.js';
import { addResumeCommand } from './resume.js';
import { addRunCommand } from './run.js';
import { addScheduleCommand } from './schedule.js';
import { addSetupCommand } from './setup.js';
import { addStatusCommand } from './status.js';
import { addStopCommand } from './stop.js';
import { addValidateCommand } from './validate.js';
import { addWaitCommand } from './wait.js';
import { addWorkerCommand } from './worker.js';

const HELP = `
Try it without a key:
  $ longhaul dev
  $ longhaul run tickets.jsonl --endpoint /v1/chat/completions --model mistral-small-latest --output answers.jsonl

Environment: MISTRAL_API_KEY, MISTRAL_BASE_URL, LONGHAUL_HOME (default .longhaul), LONGHAUL_STORE, TEMPORAL_ADDRESS
(left out: a Temporal server of its own), LONGHAUL_LOG_LEVEL. \`longhaul <command> --help\` has examples.`;

/** The command line, whose errors are thrown: `main` prints them all in one way. */
export function createProgram(): Command {
  const program = new Command('longhaul')
    .description(
      'LLM batch jobs that survive crashes, restarts and Ctrl-C: JSONL in, one answered line per row out',
    )
    .version(RELEASE, '--version', 'print the version')
    .helpCommand('help [command]', 'Show the help of a command')
    // The help of a command group that is called alone is what was asked for.
    .configureOutput({ outputError: () => undefined, writeErr: (text) => void process.stdout.write(text) })
    .exitOverride()
    .addHelpText('after', HELP);

  addRunCommand(program);
  addStatusCommand(program);
  addWaitCommand(program);
  addCancelCommand(program);
  addPauseCommand(program);
  addResumeCommand(program);
  addResultsCommand(program);
  addListCommand(program);
  addValidateCommand(program);
  addScheduleCommand(program);
  addWorkerCommand(program);
  addDevCommand(program);
  addStopCommand(program);
  addEmulatorCommand(program);
  addSetupCommand(program);
  addDoctorCommand(program);
  addCleanCommand(program);
  return program;
}
