/** A batch id is a workflow id, a folder of the store and a piece of a file name. */
const BATCH_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/;

/** It stands where the batches' folders stand. */
const STORE_FILE = 'store.json';

export const BATCH_ID_PATTERN = BATCH_ID.source;

export function isBatchId(value: unknown): value is string {
  return typeof value === 'string' && BATCH_ID.test(value);
}

/** What a refused id might have meant: its own characters where they may stand, `-` for the others. */
export function suggestBatchId(text: string): string {
  const kept = text
    .replace(/[^A-Za-z0-9._:-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 200)
    .replace(/-+$/, '');
  return kept === '' ? 'batch' : kept;
}

/** Why an id is refused, and what would do; null when it is fine. */
export function batchIdProblem(text: string): string | null {
  if (text === STORE_FILE) return `${STORE_FILE} is the store's own file; choose another id`;
  if (isBatchId(text)) return null;
  const rule =
    'a batch id has 1 to 200 letters, digits, ".", "_", ":" or "-", and begins with a letter or digit';
  return `${rule}; ${JSON.stringify(suggestBatchId(text))} would do`;
}
