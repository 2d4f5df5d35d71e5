import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { BatchOptions } from '../client/types.js';
import { parseRunBatchInput } from '../schemas/run-batch-input.js';
import type { ParsedRunBatchInput } from '../schemas/run-batch-input.js';
import { CliError } from './errors.js';
import { durationOption, pairOption, positiveIntegerOption, sizeOption } from './options.js';

/** The options that describe a batch, for `run` and for schedules. */
export interface BatchCommandOptions {
  readonly endpoint?: string;
  readonly model?: string;
  readonly provider: string;
  readonly jobTimeout: string;
  readonly deadline?: string;
  readonly maxRounds: number;
  readonly shardRows?: number;
  readonly shardBytes?: string;
  readonly maxJobs: number;
  readonly pollMin: string;
  readonly pollMax: string;
  readonly onInvalid: 'fail' | 'skip';
  readonly metadata?: Readonly<Record<string, string>>;
  readonly cleanup: 'none' | 'input' | 'all';
  readonly retry?: boolean;
  readonly rebuyLost?: boolean;
}

/**
 * What no batch can do without. Commander's own required options are not used: it complains of their absence before it
 * says that `--endpont` is a typo.
 */
export function addRequiredOptions(command: Command): Command {
  return command
    .option('--endpoint <path>', 'what answers each row, such as /v1/chat/completions (required)')
    .option('--model <id>', 'model that answers all rows, such as mistral-small-latest (required)');
}

export function addBatchOptions(command: Command): Command {
  return command
    .option('--provider <name>', 'who runs the jobs', 'mistral')
    .option(
      '--job-timeout <duration>',
      'how long the provider may take for one job, 1h to 168h',
      durationOption,
      '24h',
    )
    .option(
      '--deadline <duration>',
      'how long the batch may take (default: 1.5 × the job timeout)',
      durationOption,
    )
    .option('--max-rounds <n>', 'how often a row may be sent in one run', positiveIntegerOption, 3)
    .option('--shard-rows <n>', 'most rows of one job (default: the provider’s)', positiveIntegerOption)
    .option(
      '--shard-bytes <size>',
      'most bytes of one job’s file, such as 256MB (default: the provider’s)',
      sizeOption,
    )
    .option('--max-jobs <n>', 'most jobs at the same time', positiveIntegerOption, 4)
    .option('--poll-min <duration>', 'shortest time between two looks at a job', durationOption, '5s')
    .option('--poll-max <duration>', 'longest time between two looks at a job', durationOption, '10m')
    .addOption(
      new Option(
        '--on-invalid <what>',
        'an invalid row ends the batch before anything is sent, or is skipped',
      )
        .choices(['fail', 'skip'])
        .default('fail'),
    )
    .option('--metadata <key=value>', 'a pair to put on each job; may be repeated', pairOption)
    .addOption(
      new Option('--cleanup <what>', 'files to delete at the provider once the results are there')
        .choices(['none', 'input', 'all'])
        .default('none'),
    )
    .option('--retry', 'send the unsuccessful rows of a finished batch again')
    .option('--rebuy-lost', 'send rows again, and pay again, whose answers are gone at the provider');
}

export interface CheckedOptions {
  /** Everything but the input, as the client takes it. */
  readonly batch: Omit<BatchOptions, 'input'>;
  readonly parsed: ParsedRunBatchInput;
}

/**
 * Asks the rules of the workflow's input before anything is started; where the input lies is looked at elsewhere.
 * @throws CliError naming the options that break one.
 */
export function checkBatchOptions(options: BatchCommandOptions): CheckedOptions {
  const { endpoint, model, provider, jobTimeout, deadline, maxRounds, shardRows, shardBytes, maxJobs } =
    options;
  const { pollMin, pollMax, onInvalid, metadata, cleanup, retry, rebuyLost } = options;
  const batch = {
    endpoint: required(endpoint, '--endpoint'),
    model: required(model, '--model'),
    provider,
    jobTimeout,
    ...(deadline !== undefined && { deadline }),
    maxRounds,
    ...(shardRows !== undefined && { shardRows }),
    ...(shardBytes !== undefined && { shardBytes }),
    maxJobs,
    pollMin,
    pollMax,
    onInvalid,
    ...(metadata !== undefined && { metadata }),
    cleanup,
    retry: retry === true,
    rebuyLost: rebuyLost === true,
  };
  const parsed = parseRunBatchInput({ ...batch, input: { uri: 'file:///input' } });
  if (parsed.ok) return { batch, parsed: parsed.value };
  const problems = parsed.problems.map(({ path, message }) => `${optionOf(path)} ${withOptions(message)}`);
  throw new CliError(problems.join('\n'));
}

/** @throws InvalidArgumentError for an option that was left out */
export function required(value: string | undefined, option: string): string {
  if (value !== undefined && value !== '') return value;
  throw new InvalidArgumentError(`required option '${option}' is missing`);
}

/** Rules that compare two settings name the other one in their words. */
function withOptions(message: string): string {
  return message.replace(/\bpoll(?:Min|Max)\b/g, optionOf);
}

/** `--poll-min` of `pollMin`, `--metadata team` of `metadata.team`. */
function optionOf(path: string): string {
  const [name = '', ...rest] = path.split('.');
  const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return [option, ...rest].join(' ');
}
