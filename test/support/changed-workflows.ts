import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './repository.js';
import { bundleWorkflows } from './workflow-bundle.js';

export interface SourceChange {
  readonly file: string;
  /** Text that stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

/** Bundles the workflows as a later version might have them: today's sources, copied and changed. Writes to `target`. */
export async function bundleChanged(changes: readonly SourceChange[], target: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-changed-'));
  try {
    for (const room of ['batch', 'workflows', 'package.json'] as const) {
      await cp(join(ROOT, room), join(folder, room), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const { file, from, to } of changes) {
      const path = join(folder, file);
      const source = await readFile(path, 'utf8');
      if (source.split(from).length !== 2) throw new Error(`${file} does not have exactly one ${from}`);
      await writeFile(
        path,
        source.replace(from, () => to),
      );
    }
    await writeFile(target, await bundleWorkflows(join(folder, 'workflows/index.ts')));
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
