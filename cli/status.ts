import type { Command } from 'commander';
import type { BatchHandle } from '../client/types.js';
import { action } from './action.js';
import { useFinished } from './attached.js';
import { accountOf } from './batch-account.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { warnWithoutWorkers, withLink } from './link.js';
import type { Link } from './link.js';
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
  const json = options.json === true;
  return (
    (await useFinished(context, batchId, (handle) => showStatus(context, handle, json))) ??
    (await withLink(context, { need: 'workflow-only' }, async (link) =>
      showStatus(context, await link.longhaul.attach(batchId), json, link),
    ))
  );
}

/** The account on stdout, for this command and those that end by looking; with a link, whether anybody works on it. */
export async function showStatus(
  context: CliContext,
  handle: BatchHandle,
  json: boolean,
  link?: Link,
): Promise<ExitCode> {
  const { output, env } = context;
  const account = await accountOf(handle);
  if (json) output.json(account);
  else {
    const paint = paintFor(process.stdout, env);
    for (const line of summaryTable(account, Date.now(), paint)) output.line(line);
    for (const line of nextSteps(account)) output.note(line);
    if (handle.workflowUrl !== null) output.note(`Workflow: ${handle.workflowUrl}`);
  }
  if (link !== undefined && account.outcome === null) await warnWithoutWorkers(link, context);
  return EXIT.done;
}
