import { existsSync } from 'node:fs';

/**
 * A file that is named and not there is passed over by `@temporalio/envconfig`: what it was to say, the address above all,
 * would be left out without a word, and a batch be bought by way of another Temporal.
 */
export function assertConfigFile(env: Readonly<Record<string, string | undefined>>): void {
  const path = env['TEMPORAL_CONFIG_FILE']?.trim() ?? '';
  if (path !== '' && !existsSync(path)) {
    throw new Error(`there is no file ${path}, which TEMPORAL_CONFIG_FILE names`);
  }
}
