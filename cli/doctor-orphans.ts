import type { RunRegistry } from '../client/run-registry.js';
import type { BatchProvider } from '../providers/provider.js';
import { openStore } from '../storage/open-store.js';
import type { Store } from '../storage/store.js';
import { embeddedChoice, providerChoice, requireKey } from './context.js';
import type { CliContext } from './context.js';
import { CliError, failureDocument, reportOf } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { OrphanFix } from './orphan-fix.js';
import { readLedger } from './orphan-ledger.js';
import type { OrphanLedger } from './orphan-ledger.js';
import { jsonReport, textReport } from './orphan-report.js';
import { withRuns } from './orphan-runs.js';
import { OrphanSearch } from './orphan-search.js';
import { walkOrphans } from './orphan-walk.js';

export interface OrphanOptions {
  readonly fix?: boolean;
  readonly yes?: boolean;
  readonly batch?: readonly string[];
  readonly json?: boolean;
}

/** Lists what no batch of the store owns at the provider; with `--fix --yes` ends it. */
export async function findOrphans(context: CliContext, options: OrphanOptions): Promise<ExitCode> {
  const { output, storeUri } = context;
  const choice = requireKey(
    context.mode === 'embedded' ? await embeddedChoice(context) : providerChoice(context),
  );
  output.note(`An orphan is of no batch in THIS store: ${storeUri}
The account may be shared: what is listed may be in use by another store, maybe a colleague's.`);
  const store = openStore(storeUri);
  const ledger = await readLedger(store);
  const { createProvider } = await import('../providers/registry.js');
  const provider = createProvider('mistral', { mistral: choice, requestsPerSecond: null });
  try {
    return await withRuns(context, (runs) => examine(context, options, { provider, store, ledger, runs }));
  } finally {
    await provider.close();
  }
}

interface Sources {
  readonly provider: BatchProvider;
  readonly store: Store;
  readonly ledger: OrphanLedger;
  readonly runs: RunRegistry;
}

async function examine(context: CliContext, options: OrphanOptions, sources: Sources): Promise<ExitCode> {
  const { ledger } = sources;
  const named = options.batch ?? [];
  const report = options.json === true ? jsonReport(context.output) : textReport(context.output);
  const fix = new OrphanFix({ ...sources, acts: options.fix === true && options.yes === true });
  try {
    await walkOrphans(new OrphanSearch({ ...sources, named }), fix, report);
    const unknown = named.find((batchId) => fix.seen === 0 && !ledger.knowsBatch(batchId));
    if (unknown !== undefined) throw unknownBatch(unknown);
  } catch (error) {
    if (options.json !== true) throw error;
    // What was printed so far is completed to one document.
    const failure = reportOf(error);
    report.end(fix, failureDocument(failure));
    return failure.exitCode;
  }
  report.end(fix, {});
  return fix.failures > 0 ? EXIT.failed : EXIT.done;
}

function unknownBatch(batchId: string): CliError {
  const message = `Neither the store nor the account has anything of a batch ${batchId}.`;
  return new CliError(message, { type: 'UnknownBatch' });
}
