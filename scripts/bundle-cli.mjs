// Makes one file, and some parts that are loaded when they are needed, of the command line and the packages that every command
// loads. Half of a short command's time was the loading of some 700 small files.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Loaded from their packages: what finds files of its own by their place (the worker and its native part, the logger's
 * threads), what the worker and an activity must share one copy of, and what only few commands need.
 */
const EXTERNAL = [
  '@temporalio/worker',
  '@temporalio/activity',
  'pino',
  'undici',
  'fastify',
  '@fastify/multipart',
];

const LICENCE = /^(?:licen[cs]e|notice)(?:[.-].*)?$/i;

/** Replaces `dist/cli/` by the bundle of `cli/main.ts`. */
export async function bundleCli(root) {
  const folder = join(root, 'dist/cli');
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['cli/main.ts'],
    outdir: folder,
    bundle: true,
    // What a command imports when it is chosen stays a file of its own.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: EXTERNAL,
    // CommonJS packages among the bundled ones ask for modules of Node's.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
    },
    // For stack traces; packages' sources are not copied into the maps.
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
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
