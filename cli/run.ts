import { join } from 'node:path';
import type { Command } from 'commander';
import type { BatchHandle, StartOptions } from '../client/types.js';
import { removeDeadHomeLocks } from '../dev/home-lock.js';
import { findHome } from '../dev/home.js';
import { StorageError } from '../storage/errors.js';
import { openStore } from '../storage/open-store.js';
import { addInputRoot } from '../worker/input-roots.js';
import { action } from './action.js';
import { attachOn } from './attached.js';
import { attendBatch, reportEnd } from './attend.js';
import { assertHomeProviderAnswers, embeddedChoice, providerChoice, requireKey } from './context.js';
import type { CliContext, ProviderChoice } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { isHandedOver } from './follow.js';
import { assertHasRows, openInputSource } from './input-source.js';
import type { InputSource } from './input-source.js';
import { Interrupts } from './interrupts.js';
import { givenSettings, noteKeptSettings } from './kept-settings.js';
import { openLink, warnWithoutWorkers } from './link.js';
import type { Link } from './link.js';
import { newBatchIdOption } from './options.js';
import { checkOutputPath } from './output-file.js';
import { withInputName } from './staged-name.js';
import { assertProviderTakesBatch } from './provider-check.js';
import { addBatchOptions, addRequiredOptions, checkBatchOptions } from './run-options.js';
import type { BatchCommandOptions } from './run-options.js';

interface RunOptions extends BatchCommandOptions {
  readonly output?: string;
  readonly id?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly progress: boolean;
}

const EXAMPLES = `
Examples:
  $ longhaul run tickets.jsonl --endpoint /v1/chat/completions --model mistral-small-latest --output answers.jsonl
  $ zcat rows.jsonl.gz | longhaul run - --endpoint /v1/embeddings --model mistral-embed --json
  $ longhaul run tickets.jsonl --endpoint /v1/chat/completions --model mistral-small-latest --detach

Each line of the input is {"custom_id": "…", "body": {…}}; custom_id may be left out.
The same command again attaches to the batch while it runs, and returns it at once when it is finished.

Exit codes: 0 all rows succeeded, 2 wrong usage or invalid input, 3 finished with rows not succeeded, 4 failed,
5 cancelled, 130 detached by Ctrl-C.`;

export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .description('Run a batch to its end: one answered line per row, in input order')
    .argument('<input>', 'JSONL file (also .gz), URI, or - for stdin');
  addRequiredOptions(command)
    .option('--output <file>', 'copy of the results')
    .option(
      '--id <batch id>',
      'name of the batch (default: from the input’s name and content)',
      newBatchIdOption,
    )
    .option('--detach', 'return once the first jobs exist; the batch goes on')
    .option('--json', 'print the batch’s account as one JSON document')
    .option('--no-progress', 'do not show progress');
  addBatchOptions(command).addHelpText('after', EXAMPLES).action(action(run));
}

async function run(
  context: CliContext,
  input: string,
  options: RunOptions,
  command: Command,
): Promise<ExitCode> {
  const { batch, parsed } = checkBatchOptions(options);
  assertProviderTakesBatch(parsed);
  if (options.output !== undefined) {
    if (options.detach === true) {
      throw new CliError(
        '--output needs the batch’s end, which --detach does not wait for; use `longhaul results`.',
      );
    }
    await checkOutputPath(options.output, input === '-' ? null : input, context.storeUri);
  }
  const interrupts = new Interrupts();
  const source = await openInputSource(input, join(context.config.home, 'scratch'), interrupts.signal);
  try {
    await assertHasRows(input, source);
    const start: StartOptions = {
      ...batch,
      input: source.location,
      id: options.id,
      ...(source.isStdin && { inputName: 'stdin' }),
      stageInput: source.isStdin || context.mode === 'configured',
      signal: interrupts.signal,
    };
    const provider = await chooseProvider(context);
    const given = givenSettings(command);
    return (
      (await returnFinished(context, { start, provider, options })) ??
      (await startAndAttend(context, { start, given, source, provider, options, interrupts }))
    );
  } catch (error) {
    throw source.isStdin || context.mode === 'configured'
      ? withInputName(error, source.isStdin ? 'stdin' : input, context.storeUri)
      : error;
  } finally {
    await source.dispose();
    interrupts.stop();
  }
}

function chooseProvider(context: CliContext): Promise<ProviderChoice> {
  return context.mode === 'embedded' ? embeddedChoice(context) : Promise.resolve(providerChoice(context));
}

/** A finished batch is in the store: neither server nor provider has anything to add. */
async function returnFinished(
  context: CliContext,
  work: { readonly start: StartOptions; readonly provider: ProviderChoice; readonly options: RunOptions },
): Promise<ExitCode | null> {
  const { start, provider, options } = work;
  const { findFinishedBatch } = await import('../client/finished-batch.js');
  const handle = await findFinishedBatch({ store: context.storeUri, baseUrl: provider.baseUrl }, start);
  if (handle === null) return null;
  await removeLeftovers(context, handle.batchId);
  context.output.note(`${handle.batchId} is finished already; nothing was sent.`);
  const manifest = await handle.result();
  return reportEnd(context, { handle, manifest, json: options.json === true, output: options.output });
}

/**
 * Whoever lost the machine's power as the manifest was written has a second, temporary name of it in the store, and no
 * activity comes by there again; nor does a supervisor that takes over the home's locks. A store that may only be read
 * stays as it is.
 */
async function removeLeftovers({ config, mode, storeUri }: CliContext, batchId: string): Promise<void> {
  const home = mode === 'embedded' ? await findHome(config.home) : undefined;
  if (home !== undefined) await removeDeadHomeLocks(home);
  try {
    await openStore(storeUri).removeUnfinished(batchId);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
  }
}

interface RunWork {
  readonly start: StartOptions;
  /** Flags of the batch's settings that the command line has. */
  readonly given: readonly string[];
  readonly source: InputSource;
  readonly provider: ProviderChoice;
  readonly options: RunOptions;
  readonly interrupts: Interrupts;
}

async function startAndAttend(context: CliContext, work: RunWork): Promise<ExitCode> {
  const { source, options, interrupts } = work;
  const choice = context.mode === 'embedded' ? requireKey(work.provider) : work.provider;
  if (context.mode === 'embedded' && source.folder !== null) {
    await addInputRoot(context.config.home, source.folder);
  }
  if (context.mode === 'embedded') await assertHomeProviderAnswers(context, choice);
  if (choice.baseUrl !== context.config.mistral.baseUrl) {
    context.output.note(`Provider: ${choice.baseUrl}, which this folder was last used with.`);
  }
  const open = (): Promise<Link> => openLink(context, { need: 'full', choice, signal: interrupts.signal });
  const link = await open();
  const handle = await startOn(context, link, work);
  if (handle === null) return EXIT.detached;
  announce(context, handle);
  // Whoever started it may have allowed fewer jobs than are asked for now: one is enough to see that it goes on.
  const firstWindow = handle.attached ? 1 : options.maxJobs;
  await noteKeptSettings(context, handle, work);
  await warnWithoutWorkers(link, context);
  return attendBatch(
    context,
    { link, handle },
    {
      json: options.json === true,
      quiet: !options.progress,
      output: options.output,
      interrupts,
      until: options.detach === true ? (progress) => isHandedOver(progress, firstWindow) : undefined,
      reopen: async () => attachOn(await open(), handle.batchId),
    },
  );
}

/** Null: Ctrl-C came while the request was under way, so nobody knows whether it was taken. */
async function startOn(
  { output }: CliContext,
  link: Link,
  { start, interrupts }: RunWork,
): Promise<BatchHandle | null> {
  try {
    return await link.longhaul.start(start);
  } catch (error) {
    if (!interrupts.interrupted) {
      await link.close();
      throw error;
    }
    await link.session?.detach();
    await link.close();
    output.note('Interrupted while the batch was being started. The same command again attaches to it.');
    return null;
  }
}

function announce({ output }: CliContext, { batchId, attached, workflowUrl }: BatchHandle): void {
  output.note(attached ? `Attached to ${batchId}, which is there already.` : `Started ${batchId}.`);
  if (workflowUrl !== null) output.note(`Workflow: ${workflowUrl}`);
}
