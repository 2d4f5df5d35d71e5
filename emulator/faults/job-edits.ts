import { digestOf, randomFrom } from '../answers/random.js';
import { isFields, tryParseJson } from '../json.js';
import type { RenderedRow } from '../rows/render-row.js';
import type { RowEdits } from '../rows/row-edits.js';
import { errorEnvelope } from '../rows/row-errors.js';
import type { Fault, JobFault, RowSelector } from './fault.js';

const JOB_FAULTS: readonly string[] = [
  'stuckQueued',
  'jobSeconds',
  'resultRetention',
  'jobOutcome',
  'cancelRace',
  'missingRows',
  'duplicateRows',
  'unknownRows',
  'malformedLines',
  'lineEndings',
  'transient404',
  'listLag',
  'rowErrors',
  'failuresInOutput',
] satisfies JobFault['type'][];

export function isJobFault(fault: Fault): fault is JobFault {
  return JOB_FAULTS.includes(fault.type);
}

/** The first fault of a type that the job was created with, or undefined. */
export function jobFault<T extends JobFault['type']>(
  faults: readonly JobFault[],
  type: T,
): Extract<JobFault, { readonly type: T }> | undefined {
  return faults.find((fault): fault is Extract<JobFault, { readonly type: T }> => fault.type === type);
}

interface RowPlace {
  readonly customId: string | null;
  readonly index: number;
}

function selects(selector: RowSelector, row: RowPlace, seed: number): boolean {
  if (selector.customIds !== null && row.customId !== null && selector.customIds.includes(row.customId))
    return true;
  if (selector.count !== null && row.index < selector.count) return true;
  return (
    selector.share !== null && randomFrom(digestOf(seed, 'select', row.customId)).float() < selector.share
  );
}

/** A second line for the same custom_id, with another id and, if asked, another answer. */
function secondLine(line: string, differing: boolean): string {
  const parsed = tryParseJson(line);
  if (!isFields(parsed)) return line;
  const changed = { ...parsed, id: `${String(parsed['id'])}-again` };
  return JSON.stringify(
    differing ? { ...changed, response: { status_code: 200, body: { differs: true } } } : changed,
  );
}

function unknownLine(customId: string, seed: number): string {
  const random = randomFrom(digestOf(seed, 'unknown', customId));
  const id = `batch-${random.hex(8)}-1-${random.uuid()}`;
  return JSON.stringify({
    id,
    custom_id: customId,
    response: { status_code: 200, body: { id: random.hex(32) } },
    error: null,
  });
}

function editLines(
  fault: JobFault,
  row: RenderedRow,
  index: number,
  lines: readonly string[],
  seed: number,
): readonly string[] {
  const place = { customId: row.customId, index };
  switch (fault.type) {
    case 'missingRows':
      return selects(fault.rows, place, seed) ? [] : lines;
    case 'duplicateRows':
      return selects(fault.rows, place, seed) ? [...lines, secondLine(row.line, fault.differing)] : lines;
    case 'malformedLines':
      return selects(fault.rows, place, seed) ? lines.map((line) => line.slice(0, line.length / 2)) : lines;
    case 'lineEndings':
      if (!fault.blankLines) return lines;
      return lines.flatMap((line) => (fault.lastLineEnd ? [line, ''] : ['', line]));
    default:
      return lines;
  }
}

/** What the faults of a job do to its result files. */
export function rowEdits(faults: readonly JobFault[], seed: number): RowEdits {
  const rowErrors = faults.filter((fault) => fault.type === 'rowErrors');
  const lineEndings = jobFault(faults, 'lineEndings');
  const unknown = faults.flatMap((fault) => (fault.type === 'unknownRows' ? fault.customIds : []));
  return {
    prologue: unknown.map((customId) => unknownLine(customId, seed)),
    demandedError: (row) => {
      const fault = rowErrors.find(
        (candidate) =>
          selects(candidate.rows, row, seed) &&
          (candidate.attempts === null || row.attempt < candidate.attempts),
      );
      return fault === undefined ? null : errorEnvelope(fault.status, fault.form);
    },
    edit: (row, index) =>
      faults.reduce<readonly string[]>(
        (lines, fault) => editLines(fault, row, index, lines, seed),
        [row.line],
      ),
    lineEnd: lineEndings?.crlf === true ? '\r\n' : '\n',
    lastLineEnd: lineEndings?.lastLineEnd ?? true,
    failuresInOutput: jobFault(faults, 'failuresInOutput') !== undefined,
  };
}
