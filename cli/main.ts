#!/usr/bin/env node
import { CommanderError } from 'commander';
import { dieQuietly, withoutSecrets } from '../worker/crash.js';
import { describeReport, failureDocument, reportOf } from './errors.js';
import { EXIT } from './exit-codes.js';
import { flushOutput, tolerateBrokenStreams } from './output.js';
import { createProgram } from './program.js';

/** Whatever goes wrong, once and for all commands: words on stderr, a document on stdout with `--json`. */
function fail(error: unknown): number {
  if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) {
    return EXIT.done;
  }
  const report = reportOf(error);
  const debug = process.env['LONGHAUL_LOG_LEVEL'] === 'debug';
  process.stderr.write(withoutSecrets(`longhaul: ${describeReport(report, error, debug)}\n`));
  if (error instanceof CommanderError) process.stderr.write(`Try \`${helpCommand()} --help\`.\n`);
  if (process.argv.includes('--json')) {
    process.stdout.write(withoutSecrets(`${JSON.stringify(failureDocument(report))}\n`));
  }
  return report.exitCode;
}

/** The command that was meant, as far as it is known. */
function helpCommand(): string {
  const names: string[] = ['longhaul'];
  let { commands } = createProgram();
  for (const word of process.argv.slice(2)) {
    const command = commands.find((known) => known.name() === word);
    if (command === undefined) break;
    names.push(word);
    ({ commands } = command);
  }
  return names.join(' ');
}

async function main(): Promise<number> {
  tolerateBrokenStreams();
  try {
    await createProgram().parseAsync();
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    return fail(error);
  }
}

// Deprecation warnings speak to whoever writes a library. Node has one whenever a TLS server is addressed by its IP (DEP0123,
// in gRPC).
process.noDeprecation = true;
dieQuietly('longhaul', EXIT.failed);
// Open handles, such as a connection that is just being closed, must not keep a finished command alive.
const code = await main();
await flushOutput();
process.exit(code);
