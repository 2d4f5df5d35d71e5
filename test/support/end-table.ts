import { exitCodeOf } from '../../cli/exit-codes.js';
import { END_CASES, ROWS } from './end-cases.js';
import type { EndCase, Stage } from './end-cases.js';

/** The cells of the table "Every way a job can end", row by row, from the cases that are tested. */
export function endTable(): readonly (readonly string[])[] {
  return END_CASES.map((end) => [
    end.end,
    `\`${end.run.outcome}\`, ${exitCodeOf(end.run.outcome)}`,
    rowWords(end),
    ...[end.again, end.retry, end.rebuyLost].map(stageWords),
  ]);
}

function rowWords({ run }: EndCase): string {
  const errors = Object.entries(run.errors).map(([type, rows]) =>
    rows === ROWS ? `all \`${type}\`` : `some \`${type}\``,
  );
  return errors.length === 0 ? 'all succeeded' : errors.join(', ');
}

function stageWords({ outcome, bought }: Stage): string {
  return `${bought === 0 ? 'as it is' : 'bought again'}, ${exitCodeOf(outcome)}`;
}
