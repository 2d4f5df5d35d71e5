import type { Command } from 'commander';
import type { BatchHandle } from '../client/types.js';
import { action } from './action.js';
import { useFinished } from './attached.js';
import { accountOf } from './batch-account.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { withLink } from './link.js';
import { batchIdArgument } from './options.js';
import { nextSteps } from './next-steps.js';
import { paintFor } from './paint.js';
import { summaryTable } from './summary-table.js';

interface StatusOptions {
  readonly json?: boolean;
}

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('Show where a batch stands, finished or not')
    .argument('<batch id>', 'as `longhaul run` said it', batchIdArgument)
    .option(
      '--json',
      'print the account as one JSON document; "outcome" is null while the batch runs, and "trouble" says what is tried again',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ longhaul status tickets-3f2a91c04b7e
  $ longhaul status tickets-3f2a91c04b7e --json | jq .rows
  $ longhaul status tickets-3f2a91c04b7e --json | jq -r .trouble.message`,
    )
    .action(action(status));
}

async function status(context: CliContext, batchId: string, options: StatusOptions): Promise<ExitCode> {
  const show = (handle: BatchHandle): Promise<ExitCode> => showStatus(context, handle, options.json === true);
  return (
    (await useFinished(context, batchId, show)) ??
    (await withLink(context, { need: 'workflow-only' }, async ({ longhaul }) =>
      show(await longhaul.attach(batchId)),
    ))
  );
}

/** The account on stdout, for this command and those that end by looking. */
export async function showStatus(
  { output, env }: CliContext,
  handle: BatchHandle,
  json: boolean,
): Promise<ExitCode> {
  const account = await accountOf(handle);
  if (json) output.json(account);
  else {
    const paint = paintFor(process.stdout, env);
    for (const line of summaryTable(account, Date.now(), paint)) output.line(line);
    for (const line of nextSteps(account)) output.note(line);
    if (handle.workflowUrl !== null) output.note(`Workflow: ${handle.workflowUrl}`);
  }
  return EXIT.done;
}
