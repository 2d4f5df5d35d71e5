import { z } from 'zod';

/** The OpenAPI examples themselves show `"bytes": null`; sizes and line counts are checks, not needs. */
const optionalCount = z.int().min(0).nullish().catch(null);

/** A file object, as upload, retrieve and list return it. */
export const fileSchema = z.object({
  id: z.string().min(1),
  object: z.string().nullish().catch(null),
  bytes: optionalCount,
  created_at: z.int().nullish().catch(null),
  filename: z.string().nullish().catch(null),
  purpose: z.string().nullish().catch(null),
  sample_type: z.string().nullish().catch(null),
  source: z.string().nullish().catch(null),
  num_lines: optionalCount,
  mimetype: z.string().nullish().catch(null),
  signature: z.string().nullish().catch(null),
  expires_at: z.int().nullish().catch(null),
  visibility: z.string().nullish().catch(null),
  deleted: z.boolean().nullish().catch(null),
});

export type MistralFile = z.output<typeof fileSchema>;

/** Reply to both DELETE routes: `deleted` is true by default. */
export const deletedSchema = z.object({
  id: z.string().nullish().catch(null),
  object: z.string().nullish().catch(null),
  deleted: z.boolean().nullish().catch(null),
});

export const signedUrlSchema = z.object({ url: z.url({ protocol: /^https?$/ }) });
