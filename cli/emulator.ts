import { tmpdir } from 'node:os';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { codeOf, messageOf } from '../dev/errors.js';
import { MOST } from '../emulator/options.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { Interrupts } from './interrupts.js';
import { integerOption, nonNegativeNumberOption, portOption, shareOption } from './options.js';

interface EmulatorCommandOptions {
  readonly host: string;
  readonly port: number;
  readonly latency: number;
  readonly jobSeconds: number;
  readonly rowErrorRate: number;
  readonly seed: number;
}

export function addEmulatorCommand(program: Command): void {
  program
    .command('emulator')
    .description('Run Mistral’s Batch API on this machine, for development and tests')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', portOption, 0)
    .option('--latency <ms>', 'milliseconds that each request waits', upTo(MOST.latencyMs), 0)
    .option('--job-seconds <s>', 'seconds from a job’s creation to its end', upTo(MOST.jobSeconds), 2)
    .option('--row-error-rate <p>', 'share of rows that fail, 0 to 1', shareOption, 0)
    .option('--seed <n>', 'whole number that all answers are drawn from', integerOption, 1)
    .addHelpText(
      'after',
      `
The first line on stdout is the base URL; any key is accepted. It runs until Ctrl-C.

Examples:
  $ longhaul emulator --port 4010 --row-error-rate 0.05
  $ MISTRAL_BASE_URL=http://127.0.0.1:4010 longhaul run tickets.jsonl --endpoint /v1/chat/completions --model mistral-small-latest
  $ curl -s http://127.0.0.1:4010/_emulator/journal`,
    )
    .action(action(emulator));
}

function upTo(most: number): (text: string) => number {
  return (text) => {
    const value = nonNegativeNumberOption(text);
    if (value <= most) return value;
    throw new InvalidArgumentError(`Write a number from 0 to ${most}.`);
  };
}

const LISTEN_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'it is taken. Give another --port; 0 takes a free one'],
  ['EACCES', 'only root may use it. Give a --port from 1024'],
  ['EADDRNOTAVAIL', 'this machine has no such address. Give another --host, such as 127.0.0.1'],
  ['ENOTFOUND', 'nobody knows that host. Give another --host, such as 127.0.0.1'],
  ['EAI_AGAIN', 'nobody knows that host just now. Give an address as --host, such as 127.0.0.1'],
]);

async function emulator(context: CliContext, options: EmulatorCommandOptions): Promise<ExitCode> {
  const { host, port, jobSeconds, rowErrorRate, seed } = options;
  const { startEmulator } = await import('../emulator/index.js');
  const interrupts = new Interrupts(['SIGINT', 'SIGTERM']);
  const running = await startEmulator({
    host,
    port,
    latencyMs: options.latency,
    jobSeconds,
    rowErrorRate,
    seed,
  }).catch((error: unknown) => {
    throw startProblem(error, host, port);
  });
  context.output.line(running.url);
  context.output.note('The emulator runs until Ctrl-C.');
  await interrupts.pressed;
  await running.close();
  return EXIT.done;
}

/** What kept the emulator from its address or from its folder, in words; other errors as they are. */
function startProblem(error: unknown, host: string, port: number): unknown {
  const syscall = error instanceof Error && 'syscall' in error ? String(error.syscall) : '';
  const code = codeOf(error) ?? '';
  let message: string;
  if (['listen', 'bind', 'getaddrinfo'].includes(syscall)) {
    const reason = LISTEN_PROBLEMS.get(code) ?? messageOf(error);
    message = `The emulator can't listen on port ${port} of ${host}: ${reason}.`;
  } else if (syscall === 'mkdtemp' && code === 'ENOENT') {
    message = `The emulator keeps its files in the folder ${tmpdir()}, which does not exist. Make it, or set TMPDIR to another one.`;
  } else {
    return error;
  }
  return new CliError(message, { type: 'EmulatorNotStarted', exitCode: EXIT.failed });
}
