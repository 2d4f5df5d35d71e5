import type { Command } from 'commander';
import type { BatchProgress } from '../batch/progress.js';
import type { BatchHandle } from '../client/types.js';
import { action } from './action.js';
import { choiceToGoOn } from './attached.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { warnWithoutWorkers, withLink } from './link.js';
import type { Link } from './link.js';
import { observe } from './observe.js';
import { batchIdArgument } from './options.js';
import { showStatus } from './status.js';

interface ResumeOptions {
  readonly json?: boolean;
}

export function addResumeCommand(program: Command): void {
  program
    .command('resume')
    .description('Go on with a batch that was paused, or that waits for a valid key or for quota')
    .argument('<batch id>', 'as `longhaul run` said it', batchIdArgument)
    .option('--json', 'print the batch’s account as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  $ longhaul resume tickets-3f2a91c04b7e
  $ MISTRAL_API_KEY=… longhaul resume tickets-3f2a91c04b7e    (the worker goes on with this key)`,
    )
    .action(action(resume));
}

async function resume(context: CliContext, batchId: string, options: ResumeOptions): Promise<ExitCode> {
  const choice = await choiceToGoOn(context);
  return withLink(context, { need: 'full', choice }, async (link) => {
    const handle = await link.longhaul.attach(batchId);
    const before = await currentState(handle);
    if (await handle.resume()) await reportResumed(context, link, handle, before);
    else context.output.note(`${batchId} has ended already; there is nothing to resume.`);
    if (options.json === true) return showStatus(context, handle, true);
    return EXIT.done;
  });
}

/** What a batch was before it was told to go on says whether that changed anything. */
async function currentState(handle: BatchHandle): Promise<BatchProgress | null> {
  for await (const progress of handle.progress()) return progress;
  return null;
}

/** A person is told what has come of it, and never that a batch goes on which had not stopped. */
export function resumedLine(batchId: string, before: BatchProgress | null, where: string): string {
  const phase = before?.phase ?? 'running';
  if (before?.paused === true) return `${batchId} goes on${where}.`;
  if (phase.startsWith('waiting-for-')) return `${batchId} was ${phase}; it tries again now${where}.`;
  return `${batchId} was not paused and waits for nothing: it is ${phase}${where}.`;
}

async function reportResumed(
  context: CliContext,
  link: Link,
  handle: BatchHandle,
  before: BatchProgress | null,
): Promise<void> {
  const { output } = context;
  const { batchId } = handle;
  if (!(await warnWithoutWorkers(link, context))) return;
  const seen = await observe(handle, (progress) => !progress.paused);
  // Nobody else may hold the server: without this the batch would stop with this command.
  await link.session?.detach();
  const where = link.session === null ? '' : ' in the background';
  output.note(
    seen ? resumedLine(batchId, before, where) : `${batchId} was asked to go on; no worker has answered yet.`,
  );
  output.note(`Attach to it: longhaul wait ${batchId}`);
}
