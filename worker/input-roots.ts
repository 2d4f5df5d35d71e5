import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/*
 * Folders that runs of an embedded home took inputs from. The worker of a home is one process for many commands, so
 * each command leaves its input's folder here and the worker looks at each prepare.
 */
const FILE = 'input-roots';

export async function readInputRoots(home: string): Promise<readonly string[]> {
  try {
    const content = await readFile(join(home, FILE), 'utf8');
    return content.split('\n').filter((root) => root !== '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** `folder`: absolute. A name with a line break can't be kept here and is left to LONGHAUL_FILE_ROOTS. */
export async function addInputRoot(home: string, folder: string): Promise<void> {
  if (folder.includes('\n') || (await readInputRoots(home)).includes(folder)) return;
  await mkdir(home, { recursive: true, mode: 0o700 });
  await appendFile(join(home, FILE), `${folder}\n`, { mode: 0o600 });
}
