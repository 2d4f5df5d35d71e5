import { FAILURE_TYPES } from '../batch/failure-types.js';
import { CLIENT_FAILURES } from '../client/failures.js';
import { CLI_FAILURES } from '../cli/failures.js';
import { ROW_ERROR_TYPES, type RowErrorType } from '../batch/rows.js';

const RETRY = {
  yes: 'yes, until it works or the call’s time is over',
  few: 'five attempts in a row',
  no: 'no',
} as const;

const ROW_ERRORS: { readonly [T in RowErrorType]: string } = {
  invalid_row: 'The row breaks an input rule and was never sent.',
  http_error:
    'The provider answered the row with a status that is not a success; `response` holds the answer.',
  provider_error: 'The provider answered the row with an error and no response.',
  malformed: 'The provider’s line for the row could not be understood.',
  missing: 'The job ended well and has no line for the row.',
  output_gone: 'The job’s output was deleted before it was collected. Bought again only with `--rebuy-lost`.',
  expired: 'The job or the batch ran out of time before the row was answered.',
  cancelled: 'The batch or its job was cancelled before the row was answered.',
  job_failed: 'The provider ended the job without any answer.',
};

function sections(
  failures: Readonly<Record<string, { readonly meaning: string; readonly remedy: string }>>,
): string[] {
  return Object.entries(failures).map(
    ([type, { meaning, remedy }]) => `### ${type}\n\n${meaning}\n\n- What to do: ${remedy}\n`,
  );
}

/** `docs/errors.md`, from the registry of failures. */
export function errorsPage(): string {
  const failures = Object.entries(FAILURE_TYPES).map(
    ([type, { retry, meaning, remedy, ended }]) =>
      `### ${type}\n\n${meaning}\n\n- Retried: ${RETRY[retry]}\n- What to do: ${remedy}\n${
        ended === undefined ? '' : `- When a batch ended with it: ${ended}\n`
      }`,
  );
  const calls = sections(CLIENT_FAILURES);
  const commands = sections(CLI_FAILURES);
  const rows = ROW_ERROR_TYPES.map((type) => `| \`${type}\` | ${ROW_ERRORS[type]} |`);
  return `<!-- Written by \`npm run docs\` from batch/failure-types.ts, client/failures.ts and cli/failures.ts; a test keeps the two equal. -->

# Errors

There are two kinds. A **failure** concerns a batch, a job or a call; it has one of the types below, in Temporal, in the
client's exceptions, in the manifest's \`failure\` and in what the command line prints. A **row's error** is data: it stands in the row's line of
\`results.jsonl\`, and the batch goes on.

"Retried" says what Temporal does by itself. Rows that a failure leaves unanswered are sent again when the same command is run again; after the outcome
\`partial\`, with \`--retry\`.

## Failures

${failures.join('\n')}
## Failures of calls

Only the client and the command line meet these; nothing of a batch is lost by any of them.

${calls.join('\n')}
## Failures of commands

Only the command line meets these: they stand in \`failure.type\` of what \`--json\` prints. Its messages say what to do themselves.

${commands.join('\n')}
## Errors of rows

| \`error.type\` | meaning |
| --- | --- |
${rows.join('\n')}
`;
}
