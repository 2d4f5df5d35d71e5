// Compiles the rooms into dist/, pre-bundles the workflows and bundles the command line and the worker. `--if-stale`: only if something
// changed since the last time; npm runs `prepare` not only after `npm ci` but also at the first `npx longhaul`, perhaps
// beside a worker that runs.
// Plain JavaScript, as it runs before anything is compiled.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { buildMark } from './source-mark.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const markFile = `${root}/dist/.build-mark`;
const mark = buildMark(root);
const isCurrent = existsSync(markFile) && readFileSync(markFile, 'utf8') === mark;
if (isCurrent && process.argv.includes('--if-stale')) process.exit(0);

// Only now: where nothing is to be built, the tools need not be installed.
const { bundleCli, bundleWorker } = await import('./bundle-programs.mjs');
const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc');
// A file that was renamed or removed must not live on in dist/.
rmSync(`${root}/dist`, { recursive: true, force: true });
run([tsc, '-p', 'tsconfig.build.json']);
run(['dist/worker/build-bundle.js']);
await bundleCli(root);
await bundleWorker(root);
chmodSync(`${root}/dist/cli/main.js`, 0o755);
// Last of all: a build that was cut off is none.
writeFileSync(markFile, mark);
