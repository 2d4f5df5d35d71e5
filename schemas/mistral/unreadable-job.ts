import { z } from 'zod';

/**
 * What can still be read of an entry of a job list that does not fit `batchJobSchema`: each part by itself,
 * because one may be sound where the other is not.
 */
export const readableMetadataSchema = z.object({ metadata: z.record(z.string(), z.unknown()).nullable() });
export const readableIdSchema = z.object({ id: z.string().min(1) });
/** A job that is read by itself to see what of it can be read. */
export const anythingSchema = z.unknown();
