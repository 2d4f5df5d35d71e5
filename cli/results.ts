import type { Command } from 'commander';
import type { Manifest } from '../batch/manifest.js';
import { isGone, noResults } from '../client/no-results.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { openLinkIfRunning } from './link.js';
import { nextSteps } from './next-steps.js';
import { batchIdArgument } from './options.js';
import { checkOutputPath, writeOutputFile } from './output-file.js';

interface ResultsOptions {
  readonly errors?: boolean;
  readonly output?: string;
}

export function addResultsCommand(program: Command): void {
  program
    .command('results')
    .description('Print the results of a batch as JSONL, one line per row in input order')
    .argument('<batch id>', 'as `longhaul run` said it', batchIdArgument)
    .option('--errors', 'only the rows with an error, with their line in the input')
    .option('--output <file>', 'write to a file instead')
    .addHelpText(
      'after',
      `
Examples:
  $ longhaul results tickets-3f2a91c04b7e > answers.jsonl
  $ longhaul results tickets-3f2a91c04b7e --errors | jq -r '[.line, .error.type] | @tsv'`,
    )
    .action(action(results));
}

async function results(context: CliContext, batchId: string, options: ResultsOptions): Promise<ExitCode> {
  const { findStoredBatch } = await import('../client/finished-batch.js');
  const handle = await findStoredBatch(context.storeUri, batchId);
  if (handle === null) return explainMissing(context, batchId);
  const manifest = await handle.result();
  if (manifest.results === null) throw endedWithout(manifest);
  if (options.output !== undefined) {
    await checkOutputPath(options.output, manifest.input?.uri ?? null, context.storeUri);
  }
  const bytes = options.errors === true ? handle.errorBytes() : handle.resultBytes();
  if (options.output !== undefined) await writeOutputFile(options.output, bytes);
  else for await (const chunk of bytes) await context.output.bytes(chunk);
  return EXIT.done;
}

/** Without a manifest there are no results: the batch goes on, ended before it had one, or is unknown. */
async function explainMissing(context: CliContext, batchId: string): Promise<never> {
  const link = await openLinkIfRunning(context);
  try {
    const account = await link?.longhaul.attach(batchId).then((handle) => handle.status());
    if (account !== undefined && account.outcome !== null) throw endedWithout(account);
    // A batch whose input is still being read has left nothing in the store: without a server nobody knows of it.
    const { isBegun } = await import('../client/finished-batch.js');
    if (link === null && !(await isBegun(context.storeUri, batchId))) {
      const message = `There is no batch ${batchId} in ${context.storeUri}, and no server runs that could know it.`;
      throw new CliError(message, { type: 'UnknownBatch' });
    }
  } finally {
    await link?.close();
  }
  throw new CliError(`${batchId} has no results yet. Wait for its end with \`longhaul wait ${batchId}\`.`, {
    type: 'NotFinished',
    exitCode: EXIT.failed,
  });
}

/** To wait would be no use. */
function endedWithout(manifest: Manifest): CliError {
  const { type, message } = noResults(manifest);
  // Of results that are gone the message says all that can be done.
  const steps = isGone(manifest) ? [] : nextSteps(manifest).filter((line) => line !== '');
  return new CliError([message, ...steps].join('\n'), { type, exitCode: EXIT.failed });
}
