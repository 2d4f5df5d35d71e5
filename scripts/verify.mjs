// `npm run verify`: every gate of this repository, one line per step. A failing step's output is shown, and the
// others still run. `--skip-tests` leaves out the tests, for whoever has just run them.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Names of package.json's scripts. Lint, types and the package check need the build: examples import it. */
const CHECKS = ['format:check', 'build', 'lint', 'types', 'unused', 'package:check'];

const { values } = parseArgs({ options: { 'skip-tests': { type: 'boolean', default: false } } });

function check(name) {
  const { status, stdout, stderr } = npm(['run', '--silent', name], 'pipe');
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

/** Their own last line says how many; they are long, so they are shown as they run. */
function tests() {
  return { ok: npm(['test', '--silent'], 'inherit').status === 0, output: '' };
}

function npm(args, output) {
  return spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', output, output],
  });
}

function step(name, run) {
  const begun = performance.now();
  const { ok, output } = run(name);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (!ok) process.stdout.write(output);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(14)} ${seconds} s\n`);
  return ok ? [] : [name];
}

const failed = CHECKS.flatMap((name) => step(name, check));
if (!values['skip-tests']) failed.push(...step('tests', tests));
if (failed.length > 0) {
  process.stdout.write(`verify failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
