// Makes one file of each program that is started often, with most packages that it loads: half of a short command's time, and a
// quarter of a worker's start, was the loading of some hundred small files.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Temporal's packages are one copy for the worker, its threads, activities and workflows; `pino` starts threads of its own. */
const WORKER_EXTERNAL = ['@temporalio/*', 'pino'];

/**
 * Loaded from their packages: what finds files of its own by their place (the worker and its native part, the logger's
 * threads), what the worker and an activity must share one copy of, and what only few commands need.
 */
const CLI_EXTERNAL = [
  '@temporalio/worker',
  '@temporalio/activity',
  'pino',
  'undici',
  'fastify',
  '@fastify/multipart',
];

const COMMON = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // CommonJS packages among the bundled ones ask for modules of Node's.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
  },
  // For stack traces; packages' sources are not copied into the maps.
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
};

const LICENCE = /^(?:licen[cs]e|notice)(?:[.-].*)?$/i;

/** Replaces `dist/cli/` by the bundle of `cli/main.ts`. */
export async function bundleCli(root) {
  const folder = join(root, 'dist/cli');
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: ['cli/main.ts'],
    outdir: folder,
    // What a command imports when it is chosen stays a file of its own.
    splitting: true,
    external: CLI_EXTERNAL,
  });
  writeLicences(root, folder, metafile);
}

/** Replaces `dist/worker/main.js`, the worker as a process, by its bundle; who imports the package gets the files beside it. */
export async function bundleWorker(root) {
  const folder = join(root, 'dist/worker');
  const { metafile } = await build({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: ['worker/main.ts'],
    outdir: folder,
    external: WORKER_EXTERNAL,
  });
  writeLicences(root, folder, metafile);
}

function writeLicences(root, folder, metafile) {
  writeFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), licencesOf(root, Object.keys(metafile.inputs)));
}

/** The licences of all packages that these files are of: their code is in ours now. */
function licencesOf(root, files) {
  const packages = new Set(
    files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  );
  return [...packages]
    .toSorted((a, b) => a.localeCompare(b, 'en'))
    .map((path) => licenceOf(join(root, path)))
    .join(`\n${'='.repeat(80)}\n\n`);
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => LICENCE.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  return [`${name} ${version}: ${license}\n`, ...texts].join('\n');
}
