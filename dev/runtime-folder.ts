import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder of this user for locks and sockets, in the temp folder. Checked, as that is shared: somebody else could
 * have prepared it, and keys go through the sockets.
 */
export async function runtimeFolder(): Promise<string> {
  const folder = join(tmpdir(), `longhaul-${process.getuid?.() ?? 0}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const stats = await lstat(folder);
  const ours = process.getuid === undefined || stats.uid === process.getuid();
  if (!stats.isDirectory() || !ours || (stats.mode & 0o077) !== 0) {
    throw new Error(
      `${folder} must be a folder that only you can use. Remove it, or set TMPDIR to another folder.`,
    );
  }
  return folder;
}

/** A short name for a path, for use in the runtime folder. */
export function shortName(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 20);
}
