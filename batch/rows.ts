/** Why a row has no success, as `results.jsonl` says it. */
export const ROW_ERROR_TYPES = [
  'invalid_row',
  'http_error',
  'provider_error',
  'malformed',
  'missing',
  'output_gone',
  'expired',
  'cancelled',
  'job_failed',
] as const;

export type RowErrorType = (typeof ROW_ERROR_TYPES)[number];

export function isRowErrorType(value: unknown): value is RowErrorType {
  return ROW_ERROR_TYPES.some((type) => type === value);
}

export const ROW_CLASSES = ['succeeded', 'failed', 'invalid', 'cancelled', 'expired', 'missing'] as const;

export type RowClass = (typeof ROW_CLASSES)[number];

/** Every row is in exactly one class: `total` is the sum of the others, or rows were lost. */
export type RowCounts = { readonly [C in RowClass | 'total']: number };

const CLASS_OF_ERROR: { readonly [T in RowErrorType]: RowClass } = {
  invalid_row: 'invalid',
  http_error: 'failed',
  provider_error: 'failed',
  malformed: 'failed',
  missing: 'missing',
  output_gone: 'missing',
  expired: 'expired',
  cancelled: 'cancelled',
  job_failed: 'failed',
};

/** Class of a row by its error type; null is a success. */
export function classOf(error: RowErrorType | null): RowClass {
  return error === null ? 'succeeded' : CLASS_OF_ERROR[error];
}

/** Whether the provider said something about the row, be it an error. */
export function isAnswer(error: RowErrorType | null): boolean {
  return error === null || error === 'http_error' || error === 'provider_error' || error === 'malformed';
}

export const NO_ROWS: RowCounts = {
  total: 0,
  succeeded: 0,
  failed: 0,
  invalid: 0,
  cancelled: 0,
  expired: 0,
  missing: 0,
};

function combine(a: RowCounts, b: RowCounts, sign: 1 | -1): RowCounts {
  return {
    total: a.total + sign * b.total,
    succeeded: a.succeeded + sign * b.succeeded,
    failed: a.failed + sign * b.failed,
    invalid: a.invalid + sign * b.invalid,
    cancelled: a.cancelled + sign * b.cancelled,
    expired: a.expired + sign * b.expired,
    missing: a.missing + sign * b.missing,
  };
}

export function addCounts(a: RowCounts, b: RowCounts): RowCounts {
  return combine(a, b, 1);
}

export function subtractCounts(a: RowCounts, b: RowCounts): RowCounts {
  return combine(a, b, -1);
}

export function countRows(rowClass: RowClass, rows: number): RowCounts {
  return { ...NO_ROWS, [rowClass]: rows, total: rows };
}

/** Whether the rows add up: no class below zero, and their sum is the total. */
export function addsUp(counts: RowCounts): boolean {
  let sum = 0;
  for (const rowClass of ROW_CLASSES) {
    if (counts[rowClass] < 0) return false;
    sum += counts[rowClass];
  }
  return sum === counts.total;
}

/** Counts rows one at a time; a plain object would be copied for each of a million rows. */
export class RowTally {
  #counts: { [C in RowClass | 'total']: number } = { ...NO_ROWS };
  answered = 0;

  add(error: RowErrorType | null): void {
    this.#counts[classOf(error)] += 1;
    this.#counts.total += 1;
    if (isAnswer(error)) this.answered += 1;
  }

  get total(): number {
    return this.#counts.total;
  }

  counts(): RowCounts {
    return { ...this.#counts };
  }
}
