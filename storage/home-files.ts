import { join, resolve } from 'node:path';
import { homeBindingSchema, serverFileSchema } from '../schemas/server-file.js';
import type { HomeBindingFile, ServerFile } from '../schemas/server-file.js';
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
  return serverFileSchema.safeParse(await readJson(home, 'server.json')).data ?? null;
}

/** What `home.json` says that the worker of an embedded home works with; nothing when there is none. */
export async function readHomeBinding(home: string): Promise<HomeBindingFile> {
  return homeBindingSchema.safeParse(await readJson(home, 'home.json')).data ?? {};
}

/** Null, which no schema takes, for a file that is missing or was cut off. */
async function readJson(home: string, name: string): Promise<unknown> {
  const bytes = await openFileStore(resolve(home)).readSmall(name);
  try {
    return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
