import { z } from 'zod';

/** `server.json` of a home: where its embedded Temporal listens. */
export const serverFileSchema = z.object({
  /** `host:port` of Temporal's frontend. */
  address: z.string().min(1),
  namespace: z.string().min(1),
  uiUrl: z.string(),
});

export type ServerFile = z.output<typeof serverFileSchema>;

/** Content of a home's `home.json`: what its worker works with. */
export const homeBindingSchema = z.object({
  baseUrl: z.string().optional(),
  storeUri: z.string().optional(),
});

export type HomeBindingFile = z.infer<typeof homeBindingSchema>;
