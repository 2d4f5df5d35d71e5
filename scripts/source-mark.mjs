import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The commit that is tested, marked if there is more than that; undefined where there is no repository. */
export function commit(root) {
  const args = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** In the place of a commit, for sources that came without a repository: the release and a hash of the product's sources. */
export function sourceMark(root) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const hash = createHash('sha256');
  for (const path of sourcesIn(root)) hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  return `${version}-${hash.digest('hex').slice(0, 12)}`;
}

/** What a build is made of, its tools included. */
export function buildMark(root) {
  const hash = createHash('sha256');
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  for (const path of [...settings, ...sourcesIn(root)]) {
    hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex');
}

const NO_SOURCES = new Set(['node_modules', 'dist', 'docs', 'test']);

function sourcesIn(root) {
  const rooms = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NO_SOURCES.has(entry.name),
  );
  return rooms
    .flatMap(({ name }) => readdirSync(join(root, name), { recursive: true }).map((path) => join(name, path)))
    .filter((path) => /\.(?:ts|mjs)$/.test(path))
    .toSorted();
}
