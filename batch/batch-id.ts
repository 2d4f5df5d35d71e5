/** A batch id is a workflow id, a folder of the store and a piece of a file name. */
const BATCH_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/;

const MAX_LENGTH = 200;

/** Temporal appends "-2026-11-22T12:00:00Z" to a schedule's id to make that of a batch. */
const TIME_SUFFIX = 21;

/** It stands where the batches' folders stand. */
const STORE_FILE = 'store.json';

export const BATCH_ID_PATTERN = BATCH_ID.source;

export function isBatchId(value: unknown): value is string {
  return typeof value === 'string' && BATCH_ID.test(value);
}

/** What a refused id might have meant: its own characters where they may stand, `-` for the others. */
export function suggestBatchId(text: string, maxLength: number = MAX_LENGTH): string {
  const kept = text
    .replace(/[^A-Za-z0-9._:-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, maxLength)
    .replace(/-+$/, '');
  return kept === '' ? 'batch' : kept;
}

/** What a client says of an id that is refused; null when it is fine. */
export function idRefusal(kind: 'batch' | 'schedule', id: unknown): string | null {
  const problem = kind === 'batch' ? batchIdProblem(id) : scheduleIdProblem(id);
  if (problem === null) return null;
  return typeof id === 'string' ? `${JSON.stringify(id)} is no ${kind} id: ${problem}` : problem;
}

/** Why an id is refused, and what would do; null when it is fine. */
export function batchIdProblem(id: unknown): string | null {
  return idProblem('batch', id, MAX_LENGTH);
}

/** The same for a schedule's id, which begins the ids of its batches. */
export function scheduleIdProblem(id: unknown): string | null {
  return idProblem('schedule', id, MAX_LENGTH - TIME_SUFFIX);
}

function idProblem(kind: 'batch' | 'schedule', text: unknown, maxLength: number): string | null {
  // Callers in JavaScript may give anything.
  if (typeof text !== 'string') {
    return `a ${kind} id must be a string; this is ${text === null ? 'null' : `of type ${typeof text}`}`;
  }
  if (text === STORE_FILE) return `${STORE_FILE} is the store's own file; choose another id`;
  if (isBatchId(text) && text.length <= maxLength) return null;
  const rule = `a ${kind} id has 1 to ${maxLength} letters, digits, ".", "_", ":" or "-", and begins with a letter or digit`;
  // One that is cut helps nobody, and would fill the screen.
  const suggestion = suggestBatchId(text, maxLength);
  return text.length > maxLength ? rule : `${rule}; ${JSON.stringify(suggestion)} would do`;
}
