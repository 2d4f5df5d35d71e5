import { access, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './errors.js';

/*
 * Temporal makes the tables of its database when there is no file, and only then: killed meanwhile, it never starts on
 * that file again ("no such table", measured with 1.29.1). A mark beside the file says that it is still being made.
 * Nobody has been told of a server that was not ready yet, so nothing can be lost with its database.
 */

function markOf(database: string): string {
  return `${database}.new`;
}

/** Before each start: removes a database that was never finished, and marks one that is to be made now. */
export async function beginDatabase(database: string): Promise<void> {
  if (await exists(markOf(database))) {
    for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${database}${suffix}`, { force: true });
  } else if (!(await exists(database))) {
    // On the disk before the database is: a power cut must not leave it without its mark.
    await (await open(markOf(database), 'w', 0o600)).close();
    const folder = await open(dirname(database), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Once the server is ready, and before anybody is told of it. */
export async function finishDatabase(database: string): Promise<void> {
  await rm(markOf(database), { force: true });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
