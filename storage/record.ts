import type { z } from 'zod';
import { parseJson } from '../batch/json-text.js';
import { StorageError } from './errors.js';
import type { Store } from './store.js';

const decoder = new TextDecoder();

/** Reads a record of ours; null when it does not exist, StorageMismatch when it is not what we wrote. */
export async function readRecord<S extends z.ZodType>(
  store: Store,
  path: string,
  schema: S,
): Promise<z.output<S> | null> {
  return (await readRecordText(store, path, schema))?.record ?? null;
}

/** The same with the file's own text. */
export async function readRecordText<S extends z.ZodType>(
  store: Store,
  path: string,
  schema: S,
): Promise<{ readonly record: z.output<S>; readonly text: string } | null> {
  const bytes = await store.readSmall(path);
  if (bytes === null) return null;
  const text = decoder.decode(bytes);
  const result = schema.safeParse(parseJson(text));
  if (result.success) return { record: result.data, text };
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new StorageError(
    'StorageMismatch',
    path,
    `${store.uriOf(path)} does not read as Longhaul wrote it${where === '' ? '' : ` (at "${where}")`}; restore it, or use the Longhaul version that wrote it`,
  );
}
