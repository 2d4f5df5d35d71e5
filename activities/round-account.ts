import type { Unanswered } from '../batch/job-end.js';
import type { RowCounts } from '../batch/rows.js';
import type { RemoteJob } from '../providers/provider.js';
import type { JobRecord, RoundAccountRecord } from '../schemas/records.js';
import type { CollectInput } from './contract.js';

/** Bounds on the provider's words, so that an account stays a small file. */
const MAX_JOB_ERRORS = 100;
const MAX_MESSAGE_CHARACTERS = 2_000;

const BEGINNING = '1970-01-01T00:00:00.000Z';

/** Null for no time: the history of an older version may hold one that no Date does. */
function isoTime(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

export interface RoundFacts {
  readonly input: CollectInput;
  readonly record: JobRecord;
  readonly rows: RowCounts;
  readonly answered: number;
  readonly retryable: number;
  readonly answers: RoundAccountRecord['answers'];
  readonly unanswered: Unanswered;
  readonly quota: boolean;
  readonly errors: RemoteJob['errors'];
  /** Where the account will be, for people. */
  readonly accountUri: string;
}

/** What closes a round. */
export function roundAccount(facts: RoundFacts): RoundAccountRecord {
  const { input, record, rows, answered, retryable, answers, unanswered, accountUri } = facts;
  const { shard, round, job, takes } = input;
  const jobFailed = unanswered.error === 'job_failed';
  return {
    shard,
    round,
    key: record.key,
    rows,
    answered,
    takes,
    retryable,
    quota: facts.quota && jobFailed,
    failure:
      jobFailed && rows.failed > 0
        ? {
            type: 'JobFailed',
            message: `the provider ended job ${job.jobId} as ${job.status} without an answer; its words are in ${accountUri}`,
          }
        : null,
    answers,
    jobErrors: facts.errors.slice(0, MAX_JOB_ERRORS).map(({ message, count }) => ({
      message: message.slice(0, MAX_MESSAGE_CHARACTERS),
      count,
    })),
    job: {
      shard,
      round,
      jobId: job.jobId,
      status: job.status,
      requests: rows.total,
      succeeded: rows.succeeded,
      failed: rows.total - rows.succeeded,
      createdAt: isoTime(job.createdAt) ?? BEGINNING,
      completedAt: job.completedAt === null ? null : isoTime(job.completedAt),
    },
    duplicates: input.duplicates.map((duplicate) => ({
      shard,
      round,
      ...duplicate,
      succeeded: 0,
      failed: 0,
      completedAt: null,
      duplicate: true,
    })),
    files: {
      input: record.inputFiles,
      output: [job.outputFile, job.errorFile].filter((file) => file !== null),
    },
  };
}
