import { realpath } from 'node:fs/promises';
import type { Command } from 'commander';
import { addInputRoot } from '../worker/input-roots.js';
import { action } from './action.js';
import { assertHomeProviderAnswers, embeddedChoice, providerChoice, requireKey } from './context.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { holdUntilInterrupted } from './hold.js';
import { Interrupts } from './interrupts.js';
import { openLink } from './link.js';

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('Work on batches until Ctrl-C')
    .addHelpText(
      'after',
      `
With a Temporal address (TEMPORAL_ADDRESS, temporal.toml) the worker runs in this process and drains on SIGTERM.
Without one it is the embedded server’s, which runs as long as this command; schedules fire meanwhile.

Examples:
  $ MISTRAL_API_KEY=… longhaul worker
  $ TEMPORAL_ADDRESS=temporal:7233 LONGHAUL_STORE=file:///srv/longhaul MISTRAL_API_KEY=… longhaul worker`,
    )
    .action(action(worker));
}

async function worker(context: CliContext): Promise<ExitCode> {
  return context.mode === 'configured' ? workHere(context) : holdEmbeddedWorker(context);
}

async function holdEmbeddedWorker(context: CliContext): Promise<ExitCode> {
  const choice = requireKey(await embeddedChoice(context));
  await assertHomeProviderAnswers(context, choice);
  const interrupts = new Interrupts(['SIGINT', 'SIGTERM']);
  await addInputRoot(context.config.home, await realpath(process.cwd()));
  try {
    const link = await openLink(context, { need: 'full', choice, signal: interrupts.signal });
    try {
      context.output.note(
        `The worker runs. Ctrl-C stops it.\n  Temporal  ${link.session?.address}\n  UI        ${link.session?.uiUrl}`,
      );
      return await holdUntilInterrupted(context, link, interrupts);
    } finally {
      await link.close();
    }
  } finally {
    interrupts.stop();
  }
}

async function workHere(context: CliContext): Promise<ExitCode> {
  const { apiKey, baseUrl } = requireKey(providerChoice(context));
  const config = { ...context.config, mistral: { apiKey, baseUrl }, store: context.storeUri };
  const [
    { loadTemporalConfig },
    { nativeOptions },
    { createLogger, installTemporalLogging },
    { createLonghaulWorker },
  ] = await Promise.all([
    import('../client/target.js'),
    import('../worker/connect.js'),
    import('../worker/logging.js'),
    import('../worker/longhaul-worker.js'),
  ]);
  const logger = createLogger(config.logLevel);
  installTemporalLogging(logger, config.logLevel);
  const temporal = loadTemporalConfig({ env: context.env });
  const connection = nativeOptions(temporal);
  const namespace = temporal.namespace ?? 'default';
  const running = await createLonghaulWorker({
    config,
    connection,
    namespace,
    role: 'full',
  });
  logger.info({ namespace, address: connection.address }, 'worker is polling');
  // The SDK drains on SIGINT and SIGTERM by itself.
  await running.run();
  return EXIT.done;
}
