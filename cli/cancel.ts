import type { Command } from 'commander';
import { action } from './action.js';
import { attendBatch } from './attend.js';
import { attachToGoOn, useFinished } from './attached.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { Attended } from './follow.js';
import { Interrupts } from './interrupts.js';
import { warnWithoutWorkers } from './link.js';
import { batchIdArgument } from './options.js';
import { showStatus } from './status.js';

interface CancelOptions {
  readonly discard?: boolean;
  readonly reason?: string;
  readonly wait: boolean;
  readonly json?: boolean;
  readonly progress: boolean;
}

export function addCancelCommand(program: Command): void {
  program
    .command('cancel')
    .description('Cancel a batch and its jobs; what was answered until then is collected')
    .argument('<batch id>', 'as `longhaul run` said it', batchIdArgument)
    .option('--discard', 'do not wait for the jobs’ end and collect nothing more')
    .option('--reason <text>', 'kept in the workflow’s history')
    .option('--no-wait', 'return once the request is sent')
    .option('--json', 'print the batch’s account as one JSON document')
    .option('--no-progress', 'do not show progress')
    .addHelpText(
      'after',
      `
Examples:
  $ longhaul cancel tickets-3f2a91c04b7e
  $ longhaul cancel tickets-3f2a91c04b7e --discard --reason "wrong model"

A cancel that comes too late changes nothing. The same \`longhaul run\` again sends the cancelled rows.`,
    )
    .action(action(cancel));
}

async function cancel(context: CliContext, batchId: string, options: CancelOptions): Promise<ExitCode> {
  const json = options.json === true;
  const tooLate = async (handle: Attended['handle']): Promise<ExitCode> => {
    context.output.note(`${batchId} has ended already; nothing was changed.`);
    return json ? showStatus(context, handle, true) : EXIT.done;
  };
  const finished = await useFinished(context, batchId, tooLate);
  if (finished !== null) return finished;
  const interrupts = new Interrupts();
  try {
    const open = (): Promise<Attended> => attachToGoOn(context, batchId, interrupts.signal);
    const attended = await open();
    const { link, handle } = attended;
    const { reason } = options;
    const sent = await handle.cancel({
      mode: options.discard === true ? 'discard' : 'keep',
      ...(reason !== undefined && { reason }),
    });
    if (!sent) {
      try {
        return await tooLate(handle);
      } finally {
        await link.close();
      }
    }
    const waits = (await warnWithoutWorkers(link, context)) && options.wait;
    const until = waits ? undefined : () => true;
    await attendBatch(context, attended, { json, quiet: !options.progress, until, interrupts, reopen: open });
    return interrupts.interrupted ? EXIT.detached : EXIT.done;
  } finally {
    interrupts.stop();
  }
}
