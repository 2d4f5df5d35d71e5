import { realpath } from 'node:fs/promises';
import type { Command } from 'commander';
import { addInputRoot } from '../worker/input-roots.js';
import { action } from './action.js';
import { isSet, providerChoice, requireKey } from './context.js';
import type { CliContext, ProviderChoice } from './context.js';
import { emulatorFarewell, openDevEmulator } from './dev-emulator.js';
import { CliError } from './errors.js';
import type { ExitCode } from './exit-codes.js';
import { holdUntilInterrupted } from './hold.js';
import { Interrupts } from './interrupts.js';
import { openLink } from './link.js';

interface DevOptions {
  readonly json?: boolean;
}

export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .description('Run Temporal, a worker and, without a key, the emulator, until Ctrl-C')
    .option('--json', 'print {"address", "uiUrl", "baseUrl"} on one line when all is up')
    .addHelpText(
      'after',
      `
Other commands in the same folder find the server by themselves, and use the emulator as long as neither
MISTRAL_API_KEY nor MISTRAL_BASE_URL is set. The emulator keeps its port from one \`longhaul dev\` to the next, but not
its jobs.

Examples:
  $ longhaul dev
  $ longhaul run tickets.jsonl --endpoint /v1/chat/completions --model mistral-small-latest    (in another terminal)`,
    )
    .action(action(dev));
}

async function dev(context: CliContext, options: DevOptions): Promise<ExitCode> {
  if (context.mode === 'configured') {
    throw new CliError(
      `dev runs a Temporal server of its own, but ${context.address} is configured (TEMPORAL_ADDRESS or temporal.toml). Unset it, or run \`longhaul worker\`.`,
    );
  }
  const { env, output } = context;
  const interrupts = new Interrupts(['SIGINT', 'SIGTERM']);
  const wantsEmulator = context.config.mistral.apiKey === null && !isSet(env['MISTRAL_BASE_URL']);
  const emulator = wantsEmulator ? await openDevEmulator(context.config.home) : null;
  try {
    const choice: ProviderChoice =
      emulator === null ? requireKey(providerChoice(context)) : { apiKey: 'emulator', baseUrl: emulator.url };
    // Services that start batches here name files of this folder; `run` adds the folders of its inputs itself.
    const folder = await realpath(process.cwd());
    await addInputRoot(context.config.home, folder);
    const link = await openLink(context, { need: 'full', choice, signal: interrupts.signal });
    try {
      const { address = '', uiUrl = '' } = link.session ?? {};
      if (options.json === true) output.line(JSON.stringify({ address, uiUrl, baseUrl: choice.baseUrl }));
      output.note(
        [
          'Ready. Ctrl-C stops everything.',
          `  Temporal  ${address}`,
          `  UI        ${uiUrl}`,
          `  provider  ${choice.baseUrl}${emulator === null ? '' : emulator.isOwn ? ' (emulator)' : ' (emulator that ran already)'}`,
          `  store     ${context.storeUri}`,
          `  inputs    files below ${folder}`,
        ].join('\n'),
      );
      const farewell = emulator?.isOwn === true ? () => emulatorFarewell(link.longhaul.list()) : undefined;
      return await holdUntilInterrupted(context, link, interrupts, farewell);
    } finally {
      await link.close();
    }
  } finally {
    await emulator?.close();
    interrupts.stop();
  }
}
