import { join, resolve } from 'node:path';
import { serverFileSchema } from '../schemas/server-file.js';
import type { ServerFile } from '../schemas/server-file.js';
import { openFileStore } from './file.js';
import { formatFileUri } from './uri.js';

/** URI of the store that a home has unless another one is named. */
export function homeStoreUri(home: string): string {
  return formatFileUri(join(resolve(home), 'store'));
}

/**
 * What `server.json` of a home says; null when there is none or a crash cut it off. It may outlive its server:
 * connect before you believe it.
 */
export async function readServerFile(home: string): Promise<ServerFile | null> {
  const bytes = await openFileStore(resolve(home)).readSmall('server.json');
  if (bytes === null) return null;
  try {
    return serverFileSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data ?? null;
  } catch {
    return null;
  }
}
