import { z } from 'zod';
import { parseDuration } from '../batch/duration.js';
import { DEFAULTS } from '../batch/settings.js';
import { parseSize } from '../batch/size.js';
import { JOB_METADATA } from '../batch/wire-names.js';
import { durationText } from './duration-text.js';
import { problemsOf, type Problem } from './problems.js';
import { text } from './text.js';

/** Longhaul adds three pairs of its own; the sum stays within the 16 that batch APIs commonly allow. */
const MAX_METADATA_PAIRS = 13;
const HOUR_MS = 3_600_000;

/** Texts that become Keyword search attributes: SQL visibility stores 255 characters. */
const name = text(1, 200);

const input = z.strictObject({
  uri: z
    .string()
    .regex(/^[a-z][a-z0-9+.-]*:\/\/\S/, {
      error: 'must be a URI that the worker can read, such as "file:///data/in.jsonl"',
    })
    .meta({
      description:
        'Where the JSONL input lies, as the worker sees it: file://, below one of the worker’s LONGHAUL_FILE_ROOTS or in the store.',
      examples: ['file:///data/tickets.jsonl'],
    }),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: 'must be a SHA-256 in 64 lower-case hex digits' })
    .optional()
    .meta({ description: 'SHA-256 of the input. Another content is refused; left out, it is not checked.' }),
});

const metadata = z
  .record(
    text(1, 32)
      .refine((key) => !key.startsWith(JOB_METADATA.prefix), {
        error: `must not begin with "${JOB_METADATA.prefix}", which is kept for Longhaul`,
      })
      .meta({ pattern: `^(?!${JOB_METADATA.prefix})` }),
    text(1, 512),
  )
  .refine((pairs) => Object.keys(pairs).length <= MAX_METADATA_PAIRS, {
    error: `must have at most ${MAX_METADATA_PAIRS} pairs`,
  })
  .meta({ maxProperties: MAX_METADATA_PAIRS });

const SIZE_ERROR = 'must be a number of bytes above zero or a size such as "256MB" or "1GiB"';

const sizeText = z
  .string()
  .refine((value) => (parseSize(value) ?? 0) > 0, { error: SIZE_ERROR })
  .meta({ pattern: '^[1-9][0-9]*([KMGT]i?B)?$' });

const size = z.union([z.int().min(1, { error: SIZE_ERROR }), sizeText], { error: SIZE_ERROR });

const jobTimeout = durationText.refine(isWholeHours, {
  error: 'must be whole hours from "1h" to "168h"',
});

/**
 * The input of the workflow `runBatch`: what a service in any language sends. The workflow's id is the batch
 * id, so it is no field here. Whether endpoint, model and limits suit the provider is checked by the worker.
 */
export const runBatchInputSchema = z
  .strictObject({
    input: input.meta({ description: 'What to answer: one JSON object per line.' }),
    endpoint: name.regex(/^\/\S*$/, { error: 'must be a path such as "/v1/chat/completions"' }).meta({
      description: 'The provider’s path that answers each row.',
      examples: ['/v1/chat/completions'],
    }),
    model: name.meta({
      description: 'The model that answers all rows.',
      examples: ['mistral-small-latest'],
    }),
    provider: name.default(DEFAULTS.provider).meta({ description: 'Who runs the jobs.' }),
    jobTimeout: jobTimeout.default('24h').meta({
      description: 'How long the provider may take for one job: whole hours, "1h" to "168h".',
    }),
    deadline: durationText.optional().meta({
      description:
        'How long the whole batch may take, from the workflow’s start; what is unanswered then is expired. Left out: one and a half times jobTimeout.',
      examples: ['36h'],
    }),
    maxRounds: z.int().min(1).max(100).default(DEFAULTS.maxRounds).meta({
      description: 'How often a row may be sent: rounds that one run begins for each shard.',
    }),
    shardRows: z.int().min(1).optional().meta({
      description: 'Most rows of one job. Left out: the provider’s default. Fixed once a batch is planned.',
    }),
    shardBytes: size.optional().meta({
      description:
        'Most bytes of one job’s file, as a number or a size such as "256MB" or "1GiB". Left out: the provider’s default. Fixed once a batch is planned.',
      examples: ['256MB', 256_000_000],
    }),
    maxJobs: z.int().min(1).max(500).default(DEFAULTS.maxJobs).meta({
      description: 'Most jobs of this batch that run at the same time.',
    }),
    pollMin: durationText.default('5s').meta({ description: 'Shortest time between two looks at a job.' }),
    pollMax: durationText.default('10m').meta({ description: 'Longest time between two looks at a job.' }),
    onInvalid: z.enum(['fail', 'skip']).default('fail').meta({
      description: 'An invalid row ends the batch before anything is sent, or becomes an error in its place.',
    }),
    metadata: metadata.default({}).meta({
      description: `Pairs to put on each job: keys of 1 to 32 characters that do not begin with "${JOB_METADATA.prefix}", values of 1 to 512, at most ${MAX_METADATA_PAIRS} pairs.`,
    }),
    cleanup: z.enum(['none', 'input', 'all']).default('none').meta({
      description:
        'Which files to delete at the provider once the manifest is written. Jobs are never deleted.',
    }),
    retry: z.boolean().default(false).meta({
      description: 'Send the unsuccessful rows of a finished batch again.',
    }),
    rebuyLost: z.boolean().default(false).meta({
      description: 'Send rows again, and pay again, whose answers were given but are gone at the provider.',
    }),
    maxHistory: z.int().min(10).optional().meta({
      description: 'For tests only: a shard continues as new at this many history events.',
    }),
  })
  .refine((value) => (parseDuration(value.pollMin) ?? 0) <= (parseDuration(value.pollMax) ?? 0), {
    error: 'must not be longer than pollMax',
    path: ['pollMin'],
  })
  .meta({
    title: 'Input of runBatch',
    description:
      'Argument of the Temporal workflow "runBatch" on the task queue "longhaul". The workflow id is the batch id.',
  });

/** As a caller writes it: what has a default may be left out. */
export type RunBatchInput = z.input<typeof runBatchInputSchema>;

/** As the worker reads it: defaults filled in, texts known to be good. */
export type ParsedRunBatchInput = z.output<typeof runBatchInputSchema>;

export type RunBatchInputResult =
  | { readonly ok: true; readonly value: ParsedRunBatchInput }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function parseRunBatchInput(value: unknown): RunBatchInputResult {
  const result = runBatchInputSchema.safeParse(value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: problemsOf(result.error, knownKeys) };
}

function knownKeys(path: string): readonly string[] {
  if (path === '') return Object.keys(runBatchInputSchema.shape);
  return path === 'input' ? Object.keys(input.shape) : [];
}

function isWholeHours(value: string): boolean {
  const hours = (parseDuration(value) ?? 0) / HOUR_MS;
  return Number.isInteger(hours) && hours >= 1 && hours <= 168;
}
