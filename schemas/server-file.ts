import { z } from 'zod';

/** `server.json` of a home: where its embedded Temporal listens. */
export const serverFileSchema = z.object({
  /** `host:port` of Temporal's frontend. */
  address: z.string().min(1),
  namespace: z.string().min(1),
  uiUrl: z.string(),
});

export type ServerFile = z.output<typeof serverFileSchema>;
