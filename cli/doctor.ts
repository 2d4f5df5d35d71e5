import type { Command } from 'commander';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { runChecks } from './doctor-checks.js';
import type { Check } from './doctor-checks.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { paintFor } from './paint.js';

interface DoctorOptions {
  readonly json?: boolean;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Check everything that a batch needs, and say what to do about what is wrong')
    .option('--json', 'print {"ok", "checks"} as one JSON document')
    .addHelpText(
      'after',
      `
Checks Node, the store, the API key, the provider (one list call), Temporal, and for a cluster its search attributes
and workers. Exit codes: 0 all is well, 4 something is not.

Examples:
  $ longhaul doctor
  $ longhaul doctor --json | jq '.checks[] | select(.ok | not)'`,
    )
    .action(action(doctor));
}

async function doctor(context: CliContext, options: DoctorOptions): Promise<ExitCode> {
  const { output, env } = context;
  const paint = paintFor(process.stdout, env);
  const checks: Check[] = [];
  for await (const check of runChecks(context)) {
    checks.push(check);
    if (options.json === true) continue;
    output.line(`${check.ok ? paint.good('ok  ') : paint.bad('FAIL')} ${check.name}: ${check.detail}`);
    if (check.remedy !== null) output.line(`     ${check.remedy}`);
  }
  const ok = checks.every((check) => check.ok);
  if (options.json === true) output.json({ ok, checks });
  return ok ? EXIT.done : EXIT.failed;
}
