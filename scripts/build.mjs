// Compiles the rooms into dist/ and pre-bundles the workflows.
// Plain JavaScript: `npm ci` runs it through `prepare`, before anything is compiled.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc');

function run(args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

// A file that was renamed or removed must not live on in dist/.
rmSync(`${root}/dist`, { recursive: true, force: true });
run([tsc, '-p', 'tsconfig.build.json']);
run(['dist/worker/build-bundle.js']);
chmodSync(`${root}/dist/cli/main.js`, 0o755);
