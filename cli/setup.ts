import type { Command } from 'commander';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { withLink } from './link.js';

interface SetupOptions {
  readonly json?: boolean;
}

export function addSetupCommand(program: Command): void {
  program
    .command('setup')
    .description('Register Longhaul’s search attributes in Temporal; may be repeated')
    .option('--json', 'print {"namespace", "registered"} as one JSON document')
    .addHelpText('after', `\nExamples:\n  $ TEMPORAL_ADDRESS=temporal:7233 longhaul setup`)
    .action(action(setup));
}

async function setup(context: CliContext, options: SetupOptions): Promise<ExitCode> {
  const { output } = context;
  return withLink(context, { need: 'none' }, async ({ longhaul }) => {
    const registered = await longhaul.setup();
    if (options.json === true) output.json({ namespace: longhaul.namespace, registered });
    else if (registered.length === 0) {
      output.line(`The namespace ${longhaul.namespace} has all search attributes already.`);
    } else output.line(`Registered in the namespace ${longhaul.namespace}: ${registered.join(', ')}.`);
    return EXIT.done;
  });
}
