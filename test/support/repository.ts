import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const NO_SOURCES = new Set(['node_modules', 'dist', 'coverage', 'docs']);

/** Every TypeScript and JavaScript source below a folder of the repository: path from the root → text. */
export async function repositorySources(): Promise<Map<string, string>> {
  const folders = (await readdir(ROOT, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NO_SOURCES.has(entry.name),
  );
  const lists = await Promise.all(folders.map(({ name }) => sourcesBelow(name)));
  const texts = lists.flat().map(async (path) => [path, await readFile(join(ROOT, path), 'utf8')] as const);
  return new Map(await Promise.all(texts));
}

async function sourcesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));
}

export async function readText(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}
