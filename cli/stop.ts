import type { Command } from 'commander';
import { stopEmbedded } from '../dev/embedded.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';

export function addStopCommand(program: Command): void {
  program
    .command('stop')
    .description('Stop the embedded server and worker of this folder')
    .addHelpText(
      'after',
      `
Nothing is lost: jobs go on at the provider, and the next \`longhaul run\` or \`longhaul wait\` goes on with them.

Examples:
  $ longhaul stop
  $ LONGHAUL_HOME=/srv/longhaul longhaul stop`,
    )
    .action(action(stop));
}

async function stop({ config, output }: CliContext): Promise<ExitCode> {
  const stopped = await stopEmbedded({ home: config.home });
  output.note(stopped ? 'Stopped.' : `No embedded server runs in ${config.home}.`);
  return EXIT.done;
}
