import type { Command } from 'commander';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { runChecks } from './doctor-checks.js';
import type { Check } from './doctor-checks.js';
import { findOrphans } from './doctor-orphans.js';
import type { OrphanOptions } from './doctor-orphans.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { paintFor } from './paint.js';

interface DoctorOptions extends OrphanOptions {
  readonly orphans?: boolean;
}

const HELP = `
Checks Node, the store, the API key, the provider (one list call), Temporal, and for a cluster its search attributes
and workers. Exit codes: 0 all is well, 2 settings that can't be understood, 4 something else is wrong.

--orphans lists jobs and input files with a Longhaul key that no batch in THIS store owns. Other stores may share the
account, so --fix --yes cancels and deletes only what a run of this Temporal made for a batch of this store, or what is
of a batch that --batch names: name none that somebody else may be running. Batches that are open here are left alone,
jobs are never deleted, and a file is deleted once the job that reads it has ended.
Exit codes: 0 done, 2 --batch names a batch that nobody knows, 4 otherwise.

Examples:
  $ longhaul doctor
  $ longhaul doctor --json | jq '.checks[] | select(.ok | not)'
  $ longhaul doctor --orphans
  $ longhaul doctor --orphans --fix --yes
  $ longhaul doctor --orphans --batch tickets-3f2a91c04b7e --fix --yes`;

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Check everything that a batch needs, and say what to do about what is wrong')
    .option('--orphans', 'list the account’s jobs and input files that no batch in this store owns')
    .option('--fix', 'with --orphans: say what would be cancelled and deleted; with --yes, do it')
    .option('--yes', 'with --fix: do it')
    .option('--batch <id...>', 'with --orphans: only what is of these batches, and take it for ours')
    .option('--json', 'print {"ok", "checks"}, or {"jobs", "files", …}, as one JSON document')
    .addHelpText('after', HELP)
    .action(action(doctor));
}

async function doctor(context: CliContext, options: DoctorOptions): Promise<ExitCode> {
  if (options.orphans === true) return findOrphans(context, needsFix(options));
  for (const name of ['fix', 'yes', 'batch'] as const) {
    if (options[name] !== undefined) throw new CliError(`--${name} goes with --orphans.`);
  }
  return check(context, options);
}

function needsFix(options: DoctorOptions): DoctorOptions {
  if (options.yes === true && options.fix !== true) throw new CliError('--yes goes with --fix.');
  return options;
}

async function check(context: CliContext, options: DoctorOptions): Promise<ExitCode> {
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
