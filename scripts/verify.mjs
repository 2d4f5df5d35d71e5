// `npm run verify`: every gate of this repository, one line per step. A failing step's output is shown, and the
// others still run. A build that is current is not made again. `--skip-tests` leaves out the tests, for whoever has just run them.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Names of package.json's scripts. All but the first need the build: examples and the packed package import it. */
const BEFORE = ['build'];
const CHECKS = ['format:check', 'types', 'lint', 'package:check', 'unused'];
/** Each has times in which it keeps less than a core busy. */
const AT_ONCE = 2;

const { values } = parseArgs({ options: { 'skip-tests': { type: 'boolean', default: false } } });

async function check(name) {
  const args = name === 'build' ? ['--', '--if-stale'] : [];
  const child = npm(['run', '--silent', name, ...args], 'pipe');
  const [code, ...output] = await Promise.all([ended(child), text(child.stdout), text(child.stderr)]);
  return { ok: code === 0, output: output.join('') };
}

/** Their own last line says how many; they are long, so they are shown as they run. */
async function tests() {
  return { ok: (await ended(npm(['test', '--silent'], 'inherit'))) === 0, output: '' };
}

function npm(args, output) {
  return spawn('npm', args, { cwd: root, stdio: ['ignore', output, output] });
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}

const failed = [];

async function step(name, run) {
  const begun = performance.now();
  const { ok, output } = await run(name);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (!ok) process.stdout.write(output);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(14)} ${seconds} s\n`);
  if (!ok) failed.push(name);
}

async function inLanes(names) {
  const left = [...names];
  const lane = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await step(name, check);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

await inLanes(BEFORE);
await inLanes(CHECKS);
if (!values['skip-tests']) await step('tests', tests);
if (failed.length > 0) {
  process.stdout.write(`verify failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
