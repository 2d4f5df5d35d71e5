import type { MistralBatchJob } from '../../schemas/mistral/batch-job.js';
import { readableIdSchema, readableMetadataSchema } from '../../schemas/mistral/unreadable-job.js';
import { ProviderError } from '../errors.js';

export type MetadataPairs = readonly (readonly [key: string, value: string])[];

/** Whether a job's metadata has each of the pairs. */
export function matches(metadata: MistralBatchJob['metadata'], wanted: MetadataPairs): boolean {
  return wanted.every(
    ([key, value]) =>
      metadata !== null && metadata !== undefined && Object.hasOwn(metadata, key) && metadata[key] === value,
  );
}

export interface UnreadableSearch {
  /** Jobs that fit the filter, read one by one. */
  readonly jobs: readonly MistralBatchJob[];
  /** Why it can't be said that the list holds no other job that fits; null when it can. */
  readonly doubt: ProviderError | null;
}

/**
 * Looks into list entries that do not fit the schema. An entry whose metadata can be read and is not what is
 * wanted is somebody else's and is left alone. Of the others, one with an id is read by itself. One without
 * may be the very job that is looked for: that doubt is returned, because to take it for absent would buy
 * the job twice.
 */
export async function searchUnreadable(
  entries: readonly unknown[],
  wanted: MetadataPairs,
  readJob: (id: string) => Promise<MistralBatchJob>,
): Promise<UnreadableSearch> {
  const jobs: MistralBatchJob[] = [];
  let doubt: ProviderError | null = null;
  for (const entry of entries) {
    const metadata = readableMetadataSchema.safeParse(entry);
    if (metadata.success && !matches(metadata.data.metadata, wanted)) continue;
    const id = readableIdSchema.safeParse(entry);
    if (!id.success) {
      doubt = cannotTell("an entry of the list can't be read");
      continue;
    }
    try {
      const job = await readJob(id.data.id);
      if (matches(job.metadata, wanted)) jobs.push(job);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.type === 'ProviderNotFound') continue;
      if (error.type !== 'ProviderContract') throw error;
      doubt = cannotTell(`job ${id.data.id} can't be read`, error);
    }
  }
  return { jobs, doubt };
}

function cannotTell(what: string, cause?: ProviderError): ProviderError {
  return new ProviderError(
    'ProviderContract',
    `list jobs: ${what}, so it can't be told whether the job that is looked for exists`,
    { effect: 'refused', cause, ...(cause?.excerpt === undefined ? {} : { excerpt: cause.excerpt }) },
  );
}
