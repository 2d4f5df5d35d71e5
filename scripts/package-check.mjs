// `npm run package:check`: packs the package as it would be published and checks the archive: exports that resolve,
// types that fit them, the licence and the programs in it. Needs a build.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** `npm pack` without `prepare`: the build is a step of its own. */
function pack(folder) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = Object.values(JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' })));
  return { archive: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** Files that must be in the archive, and kinds that must not. */
function contentProblems(files) {
  const programs = Object.values(manifest.bin).map((path) => path.replace(/^\.\//, ''));
  const needed = [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'dist/workflow-bundle.js',
    'dist/workflow-bundle-sealed.js',
    'dist/cli/THIRD-PARTY-LICENCES.txt',
    'dist/worker/THIRD-PARTY-LICENCES.txt',
    ...programs,
  ];
  const missing = needed
    .filter((path) => !files.includes(path))
    .map((path) => `${path} is not in the archive`);
  const unwanted = files.filter((path) => /^(test|scripts|node_modules)\/|\.env$|\.tsbuildinfo$/.test(path));
  return [...missing, ...unwanted.map((path) => `${path} should not be in the archive`)];
}

async function publintProblems() {
  const { messages } = await publint({ pkgDir: root, strict: true, pack: 'npm' });
  return messages.map((message) => `publint: ${message.type}: ${formatMessage(message, manifest)}`);
}

/** The package is ESM only, so CommonJS callers are not looked at. */
function typeProblems(archive) {
  const attw = require
    .resolve('@arethetypeswrong/cli/package.json')
    .replace(/package\.json$/, 'dist/index.js');
  const args = [attw, archive, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return status === 0 ? [] : [`types do not fit the exports:\n${stdout}${stderr}`];
}

const folder = mkdtempSync(join(tmpdir(), 'longhaul-pack-'));
try {
  const { archive, files } = pack(folder);
  const problems = [...contentProblems(files), ...(await publintProblems()), ...typeProblems(archive)];
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
  else process.stdout.write(`${files.length} files, exports and types are sound\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
