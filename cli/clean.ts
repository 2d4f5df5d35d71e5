import type { Command } from 'commander';
import { parseDuration } from '../batch/duration.js';
import { openStore } from '../storage/open-store.js';
import { finishSetAside } from '../storage/set-aside.js';
import type { Store } from '../storage/store.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { formatBytes, formatTable, formatTime, plural } from './format.js';
import type { OpenBatches } from './open-batches.js';
import { durationOption } from './options.js';
import { findPrunable, removeBatch } from './prune-store.js';
import type { StoredBatch } from './prune-store.js';

interface CleanOptions {
  readonly olderThan: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addCleanCommand(program: Command): void {
  program
    .command('clean')
    .description('Remove finished batches from the store; shows them only, unless --yes is given')
    .option('--older-than <duration>', 'finished at least so long ago', durationOption, '30d')
    .option('--yes', 'do remove them')
    .option('--json', 'print {"removed", "batches"} as one JSON document')
    .addHelpText(
      'after',
      `
Open batches are never touched. The copy of an input that was refused is listed as \`input only\`, by its own age. What is removed here is gone: the same \`longhaul run\` would buy it again.

Examples:
  $ longhaul clean
  $ longhaul clean --older-than 7d --yes`,
    )
    .action(action(clean));
}

async function clean(context: CliContext, options: CleanOptions): Promise<ExitCode> {
  const { output } = context;
  const store = openStore(context.storeUri);
  const before = Date.now() - (parseDuration(options.olderThan) ?? 0);
  const removed = options.yes === true;
  if (removed) {
    for (const path of await finishSetAside(store.uri)) {
      const why = 'an earlier removal was cut off there, and its batch was begun anew since';
      output.note(`Kept ${path}: ${why}. Remove the folder if nothing in it is missed.`);
    }
  }
  const found = await findPrunable(store, before);
  const { closed, batches } = await withOpenBatches(context, async (openBatches) => {
    // A finished batch may have been started again a moment ago, which takes a server that runs. Where a copy of an
    // input is all that there is, the batch may be open though no server runs: one is started to ask.
    const open = await openBatches.all(found.some(({ outcome }) => outcome === null));
    const closed = found.filter(({ batchId }) => !open.has(batchId));
    return { closed, batches: removed ? await removeAll(context, openBatches, store, closed) : closed };
  });
  if (options.json === true) output.json({ removed, batches: batches.map(describe) });
  else if (closed.length === 0) output.note(`No batch finished more than ${options.olderThan} ago.`);
  else {
    for (const line of table(batches)) output.line(line);
    const total = formatBytes(batches.reduce((sum: number, { bytes }) => sum + bytes, 0));
    output.note(
      removed
        ? `Removed ${plural(batches.length, 'batch').replace('batchs', 'batches')}, ${total}.`
        : `${total} in all. Nothing was removed; \`longhaul clean --older-than ${options.olderThan} --yes\` does.`,
    );
  }
  return EXIT.done;
}

async function withOpenBatches<T>(
  context: CliContext,
  use: (openBatches: OpenBatches) => Promise<T>,
): Promise<T> {
  // Loaded when needed: it brings Temporal's client along.
  const { OpenBatches: Opened } = await import('./open-batches.js');
  const openBatches = new Opened(context);
  try {
    return await use(openBatches);
  } finally {
    await openBatches.close();
  }
}

/** Those that were removed. */
async function removeAll(
  { output }: CliContext,
  openBatches: OpenBatches,
  store: Store,
  batches: readonly StoredBatch[],
): Promise<readonly StoredBatch[]> {
  const gone: StoredBatch[] = [];
  for (const batch of batches) {
    if (await removeBatch(store, batch, (batchId) => openBatches.isOpen(batchId))) gone.push(batch);
    else output.note(`Kept ${batch.batchId}: it was started again, or changed, since it was looked at.`);
  }
  return gone;
}

function describe({ batchId, outcome, at, bytes }: StoredBatch): Record<string, unknown> {
  return { batchId, outcome, finishedAt: outcome === null ? null : at, bytes };
}

function table(batches: readonly StoredBatch[]): string[] {
  return formatTable(
    ['batch', 'outcome', 'finished (UTC)', 'size'],
    batches.map(({ batchId, outcome, at, bytes }) => [
      batchId,
      outcome ?? 'input only',
      formatTime(at),
      formatBytes(bytes),
    ]),
  );
}
