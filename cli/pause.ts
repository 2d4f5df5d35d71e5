import type { Command } from 'commander';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { warnWithoutWorkers, withLink } from './link.js';
import { observe } from './observe.js';
import { batchIdArgument } from './options.js';
import { showStatus } from './status.js';

interface PauseOptions {
  readonly json?: boolean;
}

export function addPauseCommand(program: Command): void {
  program
    .command('pause')
    .description('Create no new jobs of a batch; jobs that run are watched to their end')
    .argument('<batch id>', 'as `longhaul run` said it', batchIdArgument)
    .option('--json', 'print the batch’s account as one JSON document')
    .addHelpText(
      'after',
      `\nExamples:\n  $ longhaul pause tickets-3f2a91c04b7e\n  $ longhaul resume tickets-3f2a91c04b7e`,
    )
    .action(action(pause));
}

async function pause(context: CliContext, batchId: string, options: PauseOptions): Promise<ExitCode> {
  return withLink(context, { need: 'workflow-only' }, async (link) => {
    const handle = await link.longhaul.attach(batchId);
    if (!(await handle.pause()))
      context.output.note(`${batchId} has ended already; there is nothing to pause.`);
    else if (await warnWithoutWorkers(link, context)) {
      const seen = await observe(handle, (progress) => progress.paused);
      context.output.note(
        seen
          ? `${batchId} is paused. Go on with: longhaul resume ${batchId}`
          : `${batchId} was asked to pause; no worker has answered yet.`,
      );
    }
    if (options.json === true) return showStatus(context, handle, true);
    return EXIT.done;
  });
}
