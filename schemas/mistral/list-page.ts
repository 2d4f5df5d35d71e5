import { z } from 'zod';
import { batchJobSchema, type MistralBatchJob } from './batch-job.js';
import { fileSchema, type MistralFile } from './file.js';

/**
 * The envelope of both lists. `data` may be absent (the SDK's type says so) and `total` too (files:
 * `include_total=false`), but an object with neither is not a list.
 */
const envelope = z
  .object({
    data: z.array(z.unknown()).nullish(),
    total: z.int().min(0).nullish().catch(null),
  })
  .refine(({ data, total }) => Array.isArray(data) || typeof total === 'number', {
    error: 'is not a list: it has neither data nor total',
  });

export interface ListPage<Item> {
  /** False: the reply has a total and no entries, not even none. */
  readonly hasData: boolean;
  readonly items: readonly Item[];
  /** Entries that don't fit the schema, as they came: one bad entry never spoils the page. */
  readonly unreadable: readonly unknown[];
  /** Number of entries over all pages, when the reply says it. */
  readonly total: number | null;
}

export type PageReader<Item> = (value: unknown) => ListPage<Item> | null;

/** A page of `GET /v1/batch/jobs`; null when the reply is no list at all. */
export const readBatchJobPage: PageReader<MistralBatchJob> = (value) => readPage(value, batchJobSchema);

/** A page of `GET /v1/files`; null when the reply is no list at all. */
export const readFilePage: PageReader<MistralFile> = (value) => readPage(value, fileSchema);

function readPage<Item>(value: unknown, schema: z.ZodType<Item>): ListPage<Item> | null {
  const page = envelope.safeParse(value);
  if (!page.success) return null;
  const items: Item[] = [];
  const unreadable: unknown[] = [];
  const { data } = page.data;
  for (const entry of data ?? []) {
    const item = schema.safeParse(entry);
    if (item.success) items.push(item.data);
    else unreadable.push(entry);
  }
  return { hasData: Array.isArray(data), items, unreadable, total: page.data.total ?? null };
}
