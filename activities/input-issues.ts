import type { ScanResult } from '../storage/input-scan.js';

/** What is said of an input without any row, after its name. */
export const NO_ROWS =
  'has no rows: every line is blank. Write one JSON object per line, such as {"custom_id": "1", "body": {…}}.';

/** The first issues, each with its line, and how many more there are. */
export function describeIssues(uri: string, scan: Pick<ScanResult, 'issues' | 'invalid' | 'rows'>): string {
  const { issues, invalid, rows } = scan;
  const lines = issues.map(({ line, reason }) => `  line ${line} ${reason}`);
  const more = invalid - issues.length;
  if (more > 0) lines.push(`  and ${more} more`);
  const what = invalid === 1 ? '1 row is' : `${invalid} rows are`;
  return [
    `${uri}: ${what} not valid, of ${rows}`,
    ...lines,
    'Nothing was sent. Correct the input, or use --on-invalid skip to carry such rows into the results as errors.',
  ].join('\n');
}
