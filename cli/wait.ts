import type { Command } from 'commander';
import { action } from './action.js';
import { attendBatch, reportEnd } from './attend.js';
import { attachToGoOn, useFinished } from './attached.js';
import type { CliContext } from './context.js';
import type { ExitCode } from './exit-codes.js';
import type { Attended } from './follow.js';
import { Interrupts } from './interrupts.js';
import { warnWithoutWorkers } from './link.js';
import { batchIdArgument } from './options.js';

interface WaitOptions {
  readonly json?: boolean;
  readonly progress: boolean;
}

export function addWaitCommand(program: Command): void {
  program
    .command('wait')
    .description('Attach to a batch and stay until its end')
    .argument('<batch id>', 'as `longhaul run` said it', batchIdArgument)
    .option('--json', 'print the batch’s account as one JSON document')
    .option('--no-progress', 'do not show progress')
    .addHelpText(
      'after',
      `
Examples:
  $ longhaul wait tickets-3f2a91c04b7e
  $ longhaul wait tickets-3f2a91c04b7e --json --no-progress

Exit codes: those of \`longhaul run\`.`,
    )
    .action(action(wait));
}

async function wait(context: CliContext, batchId: string, options: WaitOptions): Promise<ExitCode> {
  const json = options.json === true;
  const finished = await useFinished(context, batchId, async (handle) =>
    reportEnd(context, { handle, manifest: await handle.result(), json }),
  );
  if (finished !== null) return finished;
  const interrupts = new Interrupts();
  try {
    const open = (): Promise<Attended> => attachToGoOn(context, batchId, interrupts.signal);
    const attended = await open();
    const { workflowUrl } = attended.handle;
    if (workflowUrl !== null) context.output.note(`Workflow: ${workflowUrl}`);
    await warnWithoutWorkers(attended.link, context);
    return await attendBatch(context, attended, { json, quiet: !options.progress, interrupts, reopen: open });
  } finally {
    interrupts.stop();
  }
}
