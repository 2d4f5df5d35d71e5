import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { describeIssues, NO_ROWS } from '../activities/input-issues.js';
import { openFileStore } from '../storage/file.js';
import { scanInput } from '../storage/input-scan.js';
import type { ScanResult } from '../storage/input-scan.js';
import { openInput } from '../storage/input.js';
import type { Input } from '../storage/input.js';
import { readLines } from '../storage/jsonl.js';
import { action } from './action.js';
import type { CliContext } from './context.js';
import { CliError } from './errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { plural } from './format.js';
import { noRows, openInputSource } from './input-source.js';
import { requireCapabilities } from './provider-check.js';
import { required } from './run-options.js';

interface ValidateOptions {
  readonly endpoint?: string;
  readonly model?: string;
  readonly provider: string;
  readonly json?: boolean;
}

export function addValidateCommand(program: Command): void {
  program
    .command('validate')
    .description('Check an input as `run` would, without sending or keeping anything')
    .argument('<input>', 'JSONL file (also .gz), or - for stdin')
    .option('--endpoint <path>', 'what would answer each row, such as /v1/chat/completions (required)')
    .option('--model <id>', 'the batch’s model (default: the rows’ own, which must be one)')
    .option('--provider <name>', 'who would run the jobs', 'mistral')
    .option('--json', 'print {"valid", "rows", "invalid", "issues": [{"line", "reason"}]}')
    .addHelpText(
      'after',
      `
Examples:
  $ longhaul validate tickets.jsonl --endpoint /v1/chat/completions
  $ longhaul validate tickets.jsonl --endpoint /v1/chat/completions --model mistral-small-latest --json

Exit codes: 0 every row is valid, 2 some row is not.`,
    )
    .action(action(validate));
}

async function validate(context: CliContext, input: string, options: ValidateOptions): Promise<ExitCode> {
  const { output } = context;
  const capabilities = requireCapabilities(options.provider);
  const endpoint = required(options.endpoint, '--endpoint');
  if (!capabilities.endpoints.includes(endpoint)) {
    throw new CliError(
      `endpoint ${endpoint} is unknown to ${options.provider}; it has ${capabilities.endpoints.join(', ')}`,
      { type: 'InvalidInput' },
    );
  }
  const maxRowBytes = capabilities.defaultShardBytes - 1;
  const scratchDir = await mkdtemp(join(tmpdir(), 'longhaul-validate-'));
  try {
    const source = await openInputSource(input, scratchDir);
    const scratch = openFileStore(scratchDir);
    const opened = await openInput(source.location, {
      roots: [source.folder ?? dirname(source.location)],
      store: scratch,
    });
    const scan = await scanInput(opened.stream(), {
      scratch,
      scratchDir,
      endpoint,
      model: options.model ?? (await modelOfRows(opened, maxRowBytes)) ?? '',
      maxRowBytes,
    });
    // Said as `run` says it.
    if (scan.rows === 0 && options.json !== true) throw noRows(input);
    const valid = scan.rows > 0 && scan.invalid === 0;
    if (options.json === true) output.json(document(scan, valid));
    else if (valid) output.line(`${input}: ${plural(scan.rows, 'row')}, all valid`);
    else output.note(describeIssues(input, scan));
    return valid ? EXIT.done : EXIT.usage;
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

function document(scan: ScanResult, valid: boolean): Record<string, unknown> {
  const { rows, invalid } = scan;
  const issues = rows === 0 ? [{ line: null, reason: `the input ${NO_ROWS}` }] : scan.issues;
  return { valid, rows, invalid, issues };
}

/** The first model that a row names: a batch has one, so each other row that names one must name the same. */
async function modelOfRows(input: Input, maxLineBytes: number): Promise<string | null> {
  for await (const lines of readLines(input.stream(), { maxLineBytes })) {
    for (const { bytes } of lines) {
      const model = modelOf(bytes.toString('utf8'));
      if (model !== null) return model;
    }
  }
  return null;
}

function modelOf(line: string): string | null {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row !== 'object' || row === null || !('body' in row)) return null;
    const { body } = row;
    if (typeof body !== 'object' || body === null || !('model' in body)) return null;
    return typeof body.model === 'string' ? body.model : null;
  } catch {
    return null;
  }
}
