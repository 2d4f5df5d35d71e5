import { batchJobSchema, type MistralBatchJob } from '../../schemas/mistral/batch-job.js';
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

export interface UnreadableCalls {
  /** A job by itself, as it comes. */
  readonly readJob: (id: string) => Promise<unknown>;
  /** Whether a job that says nothing of its metadata may be the one that is looked for. */
  readonly mayLackMetadata: () => Promise<boolean>;
}

/**
 * Looks into list entries that do not fit the schema. One whose metadata was returned, in whatever form, and is not what
 * is wanted is somebody else's and is left alone. Of the others, one with an id is read by itself. One that says nothing
 * of its metadata there either may be the very job that is looked for: that doubt is returned, because to take it for
 * absent would buy the job twice.
 */
export async function searchUnreadable(
  entries: readonly unknown[],
  wanted: MetadataPairs,
  calls: UnreadableCalls,
): Promise<UnreadableSearch> {
  const jobs: MistralBatchJob[] = [];
  let doubt: ProviderError | null = null;
  for (const entry of entries) {
    if (isSomebodyElses(entry, wanted)) continue;
    const found = await lookInto(entry, wanted, calls);
    if (found instanceof ProviderError) doubt = found;
    else if (found !== null) jobs.push(found);
  }
  return { jobs, doubt };
}

/** The job, if it is wanted; null if it is not; an error if that can't be told. */
async function lookInto(
  entry: unknown,
  wanted: MetadataPairs,
  { readJob, mayLackMetadata }: UnreadableCalls,
): Promise<MistralBatchJob | ProviderError | null> {
  const identified = readableIdSchema.safeParse(entry);
  if (!identified.success) return cannotTell('an entry of the list has no id; ask the provider about it');
  const { id } = identified.data;
  const advice = `job ${id} can't be read; delete it at the provider, or ask the provider about it`;
  try {
    const answer = await readJob(id);
    const job = batchJobSchema.safeParse(answer);
    if (job.success && matches(job.data.metadata, wanted)) return job.data;
    if (holdsAll([entry, answer], wanted)) return cannotTell(advice);
    if (job.success || isSomebodyElses(answer, wanted)) return null;
    const isTheJob = readableIdSchema.safeParse(answer).data?.id === id;
    return isTheJob && !(await mayLackMetadata()) ? null : cannotTell(advice);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.type === 'ProviderNotFound') return null;
    if (error.type !== 'ProviderContract') throw error;
    return cannotTell(advice, error);
  }
}

/** Metadata that is no object can't be compared; but our key is such that what lacks it in every text has another one. */
function isSomebodyElses(job: unknown, wanted: MetadataPairs): boolean {
  const readable = readableMetadataSchema.safeParse(job);
  if (readable.success) return !matches(readable.data.metadata, wanted);
  return isObject(job) && Object.hasOwn(job, 'metadata') && !holdsAll(job, wanted);
}

function holdsAll(value: unknown, wanted: MetadataPairs): boolean {
  return wanted.every(([, text]) => holds(value, text));
}

/** Whether a text is in the value, as a name or in a string. Without recursion: entries may be nested very deeply. */
function holds(value: unknown, text: string): boolean {
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'string' && one.includes(text)) return true;
    if (!isObject(one)) continue;
    for (const [name, member] of Object.entries(one)) {
      if (name.includes(text)) return true;
      left.push(member);
    }
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function cannotTell(what: string, cause?: ProviderError): ProviderError {
  return new ProviderError(
    'ProviderContract',
    `list jobs: it can't be told whether the job that is looked for exists: ${what}`,
    { effect: 'refused', cause, ...(cause?.excerpt === undefined ? {} : { excerpt: cause.excerpt }) },
  );
}
